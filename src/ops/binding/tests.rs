//! Each limit by figures that show it, and beside it those that look like it and are something else.

mod database;
mod pools;

use serde_json::{Value, json};

use super::*;
use crate::ops::figures::{Lane, PgBouncer, Postgres, Process, R2d2, Sampled, Stages};

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
    let postgres = json!({"age_seconds": 0.4, "is_local": true, "max_connections": 200, "reserved": 3, "connections": 8, "active": 1,
                          "waits": {"cpu": 1}, "longest_statement_seconds": 0.01, "blocks_hit": counter(1000.0),
                          "database_bytes": 8 << 20});
    json!({
        "at": 1764300000.0 + at, "uptime_seconds": at, "version": "0.1.0", "commit": null,
        "lanes": [lane("create"), lane("find"), lane("search")],
        "breaker_open": false, "outage_seconds": 0.0,
        "answers": [{"route": "POST /warrior", "status": 201, "count": counter(100.0), "seconds": at, "buckets": []}],
        "stages": {"create": stages(100.0), "find": stages(100.0), "search": stages(10.0)},
        "r2d2": with(R2d2::default(), json!({"max": 8, "idle": 7, "used": 1, "created": 8})),
        "pgbouncer": sampled(PgBouncer::default(), pgbouncer),
        "postgres": sampled(Postgres::default(), postgres),
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

/// A peer that was sampled.
fn sampled(figures: impl serde::Serialize, fields: Value) -> Value {
    let figures = Some(figures);
    let sampled = Sampled {
        error: None,
        age_seconds: 0.0,
        figures,
    };
    with(sampled, fields)
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
        f["machine"] =
            json!({"cores": 4.0, "cpus": 0.14, "busy_seconds": 0.5 * at, "throttled_seconds": 0.0});
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
        f["lanes"][2]["refused"] = json!({"no_memory": (2.0 * at) as u64});
    });
    assert_eq!(harmful.limit, Limit::Clients);
    assert!(harmful.sentence.contains("for 10 requests"), "{harmful:?}");
}

#[test]
fn a_burst_that_was_refused_is_said_so() {
    for (reason, variable) in [
        ("queue_full", "QUEUE_MAX"),
        ("too_late", "REQUEST_DEADLINE_MS"),
    ] {
        let binds = judged(|f, at| f["lanes"][1]["refused"] = json!({reason: at as u64}));
        assert_eq!(binds.limit, Limit::Queue);
        assert!(binds.sentence.contains(variable), "{binds:?}");
    }
}
