//! Each limit by figures that show it, and beside it those that look like it and are something else.

use serde_json::{Value, json};

use super::*;
use crate::ops::figures::{Lane, PgBouncer, Postgres, Process, R2d2, Stages};

/// Figures of a healthy server with six workers behind PgBouncer, under a light load.
fn healthy(at: f64) -> Value {
    let counter = |a_second: f64| (a_second * at) as u64;
    let lane = |name: &str| {
        let load =
            json!({"lane": name, "workers": 2, "batch_seconds": 0.2 * at, "queue_max": 2048});
        with(Lane::default(), load)
    };
    let stages = |requests: f64| {
        let times = json!({"requests": counter(requests), "queue_seconds": 0.01 * at, "database_seconds": 0.2 * at,
                           "render_seconds": 0.001 * at, "write_seconds": 0.01 * at});
        with(Stages::default(), times)
    };
    let pgbouncer = json!({"age_seconds": 0.4, "pool_size": 50, "max_client_conn": 1000, "clients": 8,
                           "clients_active": 8, "servers_active": 1, "servers_idle": 5,
                           "transactions": counter(50.0)});
    let postgres = json!({"age_seconds": 0.4, "max_connections": 200, "reserved": 3, "connections": 8, "active": 1,
                          "waits": {"cpu": 1}, "longest_statement_seconds": 0.01, "blocks_hit": counter(1000.0),
                          "database_bytes": 8 << 20});
    json!({
        "at": 1764300000.0 + at, "uptime_seconds": at, "version": "0.1.0", "commit": null,
        "lanes": [lane("create"), lane("find"), lane("search")],
        "breaker_open": false,
        "answers": [{"route": "POST /warrior", "status": 201, "count": counter(100.0), "seconds": at, "buckets": []}],
        "stages": {"create": stages(100.0), "find": stages(100.0), "search": stages(10.0)},
        "r2d2": with(R2d2::default(), json!({"max": 8, "idle": 7, "used": 1, "created": 8})),
        "pgbouncer": with(PgBouncer::default(), pgbouncer),
        "postgres": with(Postgres::default(), postgres),
        "process": with(Process::default(), json!({"cpu_seconds": 0.1 * at})),
        "machine": {"cores": 2.0, "cpus": 2.0, "busy_seconds": 0.5 * at, "throttled_seconds": null},
        "binds": Binds::default(),
    })
}

/// A part of the figures, all zero but for these `fields`.
fn with(part: impl serde::Serialize, fields: Value) -> Value {
    let mut part = serde_json::to_value(part).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        part[name] = value.clone();
    }
    part
}

/// The judgement of five seconds, both ends of which are `changed`; the second argument is the time.
fn judged(changed: impl Fn(&mut Value, f64)) -> Binds {
    let ends = [100.0, 105.0].map(|at| {
        let mut figures = healthy(at);
        changed(&mut figures, at);
        serde_json::from_value::<Figures>(figures).unwrap()
    });
    judge(&ends[0], &ends[1])
}

/// Requests wait for two workers that are busy all the time.
fn saturate_create(figures: &mut Value, at: f64) {
    figures["lanes"][0]["batch_seconds"] = json!(2.0 * at);
    figures["stages"]["create"]["queue_seconds"] = json!(20.0 * at);
    figures["stages"]["create"]["database_seconds"] = json!(20.0 * at);
}

fn machine_is_busy(figures: &mut Value, at: f64) {
    figures["machine"]["busy_seconds"] = json!(2.0 * at);
}

#[test]
fn nothing_binds_in_health_and_without_requests() {
    let healthy = judged(|_, _| {});
    let expected = "Nothing binds: the busiest lane, search, has 0.2 of 2 workers at work, and no request waits for \
                    them.";
    assert_eq!((healthy.limit, &*healthy.sentence), (Limit::None, expected));
    let idle = judged(|f, _| f["answers"] = json!([]));
    let expected = "Nothing binds: no request was answered in the last 5 s.";
    assert_eq!((idle.limit, &*idle.sentence), (Limit::None, expected));
    // A machine that others keep busy binds nobody who does not wait for it.
    assert_eq!(judged(machine_is_busy).limit, Limit::None);
    // A file has neither pooler nor PostgreSQL.
    let file = judged(|f, _| {
        f["pgbouncer"] = Value::Null;
        f["postgres"] = Value::Null;
    });
    assert_eq!(file.limit, Limit::None);
}

#[test]
fn nothing_is_said_of_no_time_or_of_another_server() {
    let at = |at: f64| serde_json::from_value::<Figures>(healthy(at)).unwrap();
    let now = at(100.0);
    assert_eq!(judge(&now, &now).limit, Limit::None);
    let mut before = at(90.0);
    before.uptime_seconds = 4000.0;
    assert!(judge(&before, &now).sentence.contains("just started"));
}

#[test]
fn a_pool_of_two_for_64_workers_binds() {
    let small_pool = |f: &mut Value, at: f64| {
        f["lanes"][0]["workers"] = json!(64);
        f["lanes"][0]["batch_seconds"] = json!(64.0 * at);
        f["stages"]["create"]["queue_seconds"] = json!(20.0 * at);
        f["stages"]["create"]["database_seconds"] = json!(64.0 * at);
        f["r2d2"]["max"] = json!(66);
        f["pgbouncer"]["pool_size"] = json!(2);
        f["pgbouncer"]["servers_active"] = json!(2);
        f["pgbouncer"]["servers_idle"] = json!(0);
        f["pgbouncer"]["clients_waiting"] = json!(60);
        f["pgbouncer"]["wait_seconds"] = json!(62.0 * at);
        f["pgbouncer"]["maxwait_seconds"] = json!(0.4);
        f["postgres"]["active"] = json!(2);
        f["postgres"]["waits"] = json!({"IO": 2});
    };
    let binds = judged(small_pool);
    let expected = "PgBouncer's pool binds: 62 clients wait, up to 1.2 s, for 2 connections; raise default_pool_size \
                    (this server opens up to 66).";
    assert_eq!(
        (binds.limit, &*binds.sentence),
        (Limit::PgbouncerPool, expected)
    );
    // Where both connections want a core and there are no more cores, a larger pool would not help.
    let starved = judged(|f, at| {
        small_pool(f, at);
        machine_is_busy(f, at);
        f["postgres"]["waits"] = json!({"cpu": 2});
    });
    assert_eq!(starved.limit, Limit::PostgresCpu);
    // Waits for logins are not waits for the pool.
    let logins = judged(|f, at| {
        small_pool(f, at);
        f["pgbouncer"]["pool_size"] = json!(50);
    });
    assert_eq!(logins.limit, Limit::Disk);
}

#[test]
fn a_sample_that_is_old_or_failed_says_nothing() {
    let waiting = |f: &mut Value, at: f64| {
        f["pgbouncer"]["pool_size"] = json!(2);
        f["pgbouncer"]["wait_seconds"] = json!(62.0 * at);
    };
    assert_eq!(judged(waiting).limit, Limit::PgbouncerPool);
    for (field, value) in [("age_seconds", json!(60.0)), ("error", json!("refused"))] {
        let binds = judged(|f, at| {
            waiting(f, at);
            f["pgbouncer"][field] = value.clone();
        });
        assert_eq!(binds.limit, Limit::None, "{field}");
    }
}

#[test]
fn one_worker_before_a_large_pool_binds() {
    let one_worker = |f: &mut Value, at: f64| {
        f["lanes"][0]["workers"] = json!(1);
        f["lanes"][0]["batch_seconds"] = json!(0.97 * at);
        f["stages"]["create"]["queue_seconds"] = json!(15.0 * at);
        f["stages"]["create"]["database_seconds"] = json!(15.0 * at);
    };
    let binds = judged(one_worker);
    let expected = "The workers of create bind: 15 requests wait for 1 worker that is 97 % busy, 0.1 s each; raise \
                    WORKERS_CREATE.";
    assert_eq!((binds.limit, &*binds.sentence), (Limit::Workers, expected));
    // One backend that is busy on an idle machine is not short of cores, and two that wait are not either.
    let waits = judged(|f, at| {
        saturate_create(f, at);
        machine_is_busy(f, at);
        f["postgres"]["waits"] = json!({"Timeout": 2});
    });
    assert_eq!(waits.limit, Limit::Workers);
    // All requests are stuck: no sum of seconds moves, but the gauges of both ends show it.
    let stuck = judged(|f, _| {
        f["lanes"][1]["busy"] = json!(2);
        f["lanes"][1]["waiting"] = json!(9);
        f["lanes"][1]["oldest_batch_seconds"] = json!(2.5);
    });
    assert!(stuck.sentence.contains("WORKERS_FIND"), "{stuck:?}");
    // A short queue is left to some of the workers, so that batches are larger.
    let by_design = judged(|f, at| {
        f["lanes"][0]["batch_seconds"] = json!(at);
        f["stages"]["create"]["queue_seconds"] = json!(15.0 * at);
    });
    assert_eq!(by_design.limit, Limit::None);
}

#[test]
fn all_connections_of_postgres_taken_and_more_wanted_bind() {
    let full = |f: &mut Value, at: f64| {
        f["postgres"]["max_connections"] = json!(20);
        f["postgres"]["connections"] = json!(17);
        f["pgbouncer"]["servers_active"] = json!(14);
        f["pgbouncer"]["servers_idle"] = json!(0);
        f["pgbouncer"]["wait_seconds"] = json!(12.0 * at);
        f["pgbouncer"]["clients_waiting"] = json!(12);
    };
    let binds = judged(full);
    let expected = "PostgreSQL's connections bind: all 17 that clients may have are taken (max_connections 20, 3 \
                    reserved), and more are wanted; raise max_connections, or lower default_pool_size (50) to what is \
                    left for PgBouncer, 14.";
    assert_eq!(
        (binds.limit, &*binds.sentence),
        (Limit::Connections, expected)
    );
    // Nobody wants one more.
    let calm = judged(|f, at| {
        full(f, at);
        f["pgbouncer"]["wait_seconds"] = json!(0.0);
        f["pgbouncer"]["clients_waiting"] = json!(0);
    });
    assert_eq!(calm.limit, Limit::None);
    // Not even the monitor got in.
    let refused = judged(|f, at| {
        full(f, at);
        f["postgres"]["error"] = json!("FATAL: sorry, too many clients already");
    });
    assert_eq!(refused.limit, Limit::Connections);
    // The pool is smaller than what PostgreSQL gives.
    let pool = judged(|f, at| {
        full(f, at);
        f["pgbouncer"]["pool_size"] = json!(14);
    });
    assert_eq!(pool.limit, Limit::PgbouncerPool);
    let direct = judged(|f, _| {
        f["pgbouncer"] = Value::Null;
        f["postgres"]["connections"] = json!(197);
        f["r2d2"]["timeouts"] = json!(f["at"].as_f64().unwrap() as u64);
    });
    assert!(direct.sentence.ends_with("or lower WORKERS."), "{direct:?}");
}

#[test]
fn clients_of_pgbouncer_and_slow_logins_bind() {
    let waiting = |f: &mut Value, at: f64| f["r2d2"]["wait_seconds"] = json!(3.0 * at);
    let full = judged(|f, at| {
        waiting(f, at);
        f["pgbouncer"]["max_client_conn"] = json!(8);
    });
    assert_eq!(full.limit, Limit::Connections);
    assert!(full.sentence.contains("raise max_client_conn"), "{full:?}");
    let logins = judged(waiting);
    assert_eq!(logins.limit, Limit::R2d2);
    assert!(logins.sentence.contains("no login succeeded"), "{logins:?}");
}

#[test]
fn backends_without_cores_bind() {
    let starved = |f: &mut Value, at: f64| {
        saturate_create(f, at);
        f["postgres"]["active"] = json!(6);
        f["postgres"]["waits"] = json!({"cpu": 5, "LWLock": 1});
        f["machine"]["busy_seconds"] = json!(0.6 * at);
    };
    let binds = judged(starved);
    let expected = "PostgreSQL's processors bind: 5 of 6 active backends want a core, and 0.6 of 2 cores here are \
                    busy; raise the limit of CPU time that PostgreSQL has. More workers or connections would only \
                    wait, too.";
    assert_eq!(
        (binds.limit, &*binds.sentence),
        (Limit::PostgresCpu, expected)
    );
    let used_up = judged(|f, at| {
        starved(f, at);
        machine_is_busy(f, at);
    });
    assert!(used_up.sentence.contains("add cores"), "{used_up:?}");
    // A sample that caught them at work, while nobody waits.
    let busy = judged(|f, at| {
        starved(f, at);
        f["stages"]["create"]["queue_seconds"] = json!(0.0);
        f["stages"]["create"]["database_seconds"] = json!(1.5 * at);
    });
    assert_eq!(busy.limit, Limit::None);
}

#[test]
fn a_lock_that_is_held_binds() {
    let locked = |f: &mut Value, _: f64| {
        f["postgres"]["active"] = json!(4);
        f["postgres"]["blocked"] = json!(4);
        f["postgres"]["waits"] = json!({"Lock": 4});
        f["postgres"]["longest_statement_seconds"] = json!(0.9);
    };
    let binds = judged(locked);
    let expected = "A lock binds: 4 of 4 active backends wait for one, up to 0.9 s; find who holds it: select \
                    pg_blocking_pids(pid), query from pg_stat_activity where wait_event_type = 'Lock'.";
    assert_eq!((binds.limit, &*binds.sentence), (Limit::Lock, expected));
    // Behind it everything fills up.
    let behind = judged(|f, at| {
        locked(f, at);
        saturate_create(f, at);
        f["pgbouncer"]["pool_size"] = json!(2);
        f["pgbouncer"]["wait_seconds"] = json!(62.0 * at);
        f["postgres"]["longest_idle_transaction_seconds"] = json!(40.0);
    });
    assert_eq!(behind.limit, Limit::Lock);
    assert!(behind.sentence.contains("idle for 40 s"), "{behind:?}");
    let passing = judged(|f, at| {
        locked(f, at);
        f["postgres"]["active"] = json!(12);
    });
    assert_eq!(passing.limit, Limit::None);
}

#[test]
fn a_database_that_is_gone_is_said_so() {
    let binds = judged(|f, at| {
        f["breaker_open"] = json!(true);
        f["lanes"][0]["refused"] = json!({"database-gone": (10.0 * at) as u64});
        f["postgres"]["error"] = json!("connection refused");
    });
    assert_eq!(binds.limit, Limit::DatabaseGone);
    for part in [
        "(PostgreSQL: connection refused)",
        "50 requests were refused in 5 s",
    ] {
        assert!(binds.sentence.contains(part), "{binds:?}");
    }
}

#[test]
fn backends_that_wait_for_the_disk_bind() {
    let writing = |f: &mut Value, at: f64| {
        saturate_create(f, at);
        f["postgres"]["active"] = json!(4);
        f["postgres"]["waits"] = json!({"cpu": 1, "IO": 1, "LWLock": 2});
    };
    let written = judged(writing);
    assert_eq!(written.limit, Limit::Disk);
    assert!(written.sentence.contains("a faster one"), "{written:?}");
    let read = judged(|f, at| {
        writing(f, at);
        f["postgres"]["blocks_read"] = json!((1000.0 * at) as u64);
    });
    assert!(read.sentence.contains("raise it"), "{read:?}");
    // One backend that commits is a matter of workers.
    let one = judged(|f, at| {
        writing(f, at);
        f["postgres"]["waits"] = json!({"IO": 1});
    });
    assert_eq!(one.limit, Limit::Workers);
}

#[test]
fn processors_used_up_by_this_server_bind() {
    let own = judged(|f, at| {
        saturate_create(f, at);
        machine_is_busy(f, at);
        f["process"]["cpu_seconds"] = json!(1.2 * at);
        f["postgres"]["waits"] = json!({});
    });
    assert_eq!(own.limit, Limit::MachineCpu);
    let limited = judged(|f, at| f["machine"]["throttled_seconds"] = json!(0.3 * at));
    assert_eq!(limited.limit, Limit::MachineCpu);
    assert!(limited.sentence.contains("30 % of the time"), "{limited:?}");
    // A quota of this process is no measure of what others take of the machine.
    let quota = |f: &mut Value, at: f64| {
        saturate_create(f, at);
        f["machine"] = json!({"cores": 4.0, "cpus": 0.14, "busy_seconds": 0.5 * at, "throttled_seconds": 0.0});
        f["process"]["cpu_seconds"] = json!(0.1 * at);
        f["postgres"]["waits"] = json!({});
    };
    assert_eq!(judged(quota).limit, Limit::Workers);
    let busy = judged(|f, at| {
        quota(f, at);
        f["machine"]["busy_seconds"] = json!(3.9 * at);
    });
    assert_eq!(busy.limit, Limit::MachineCpu);
    assert!(busy.sentence.contains("3.9 of 4 cores"), "{busy:?}");
}

#[test]
fn answers_that_clients_do_not_take_bind() {
    let slow = judged(|f, at| f["stages"]["search"]["write_seconds"] = json!(12.0 * at));
    assert_eq!(slow.limit, Limit::Clients);
    assert!(
        slow.sentence.contains("12 answers are not taken yet"),
        "{slow:?}"
    );
    let harmful = judged(|f, at| {
        f["lanes"][2]["refused"] = json!({"no-memory": (2.0 * at) as u64});
    });
    assert_eq!(harmful.limit, Limit::Clients);
    assert!(harmful.sentence.contains("for 10 requests"), "{harmful:?}");
}

#[test]
fn a_burst_that_was_refused_is_said_so() {
    for (reason, variable) in [
        ("queue-full", "QUEUE_MAX"),
        ("too-late", "REQUEST_DEADLINE_MS"),
    ] {
        let binds = judged(|f, at| f["lanes"][1]["refused"] = json!({reason: at as u64}));
        assert_eq!(binds.limit, Limit::Queue);
        assert!(binds.sentence.contains(variable), "{binds:?}");
    }
}
