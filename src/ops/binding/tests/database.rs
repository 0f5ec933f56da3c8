//! Limits of PostgreSQL itself.

use super::*;

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
    // The cores of another machine are not known: what has a queue here is named, with a caution.
    let elsewhere = |f: &mut Value, at: f64| {
        starved(f, at);
        f["postgres"]["is_local"] = json!(false);
    };
    let workers = judged(elsewhere);
    assert_eq!(workers.limit, Limit::Workers);
    let caution = ", if PostgreSQL's machine has cores left: 5 of 6 active backends there compute.";
    assert!(workers.sentence.ends_with(caution), "{workers:?}");
    let pool = judged(|f, at| {
        elsewhere(f, at);
        f["pgbouncer"]["pool_size"] = json!(6);
        f["pgbouncer"]["wait_seconds"] = json!(9.0 * at);
    });
    assert_eq!(pool.limit, Limit::PgbouncerPool);
    assert!(pool.sentence.ends_with(caution), "{pool:?}");
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
        f["postgres"]["longest_lock_wait_seconds"] = json!(0.9);
        f["lanes"][0]["oldest_batch_seconds"] = json!(0.9);
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
    let few = judged(|f, at| {
        locked(f, at);
        f["postgres"]["waits"] = json!({"Lock": 4, "IO": 8});
    });
    assert_eq!(few.limit, Limit::None);
    // Others wait, as for a lock of an import, and no request does.
    let of_others = judged(|f, at| {
        locked(f, at);
        f["lanes"][0]["oldest_batch_seconds"] = json!(0.0);
    });
    assert_eq!(of_others.limit, Limit::None);
    // A statement that runs long waits no longer for its lock than it does.
    let passing = judged(|f, at| {
        locked(f, at);
        f["postgres"]["longest_statement_seconds"] = json!(30.0);
        f["postgres"]["longest_lock_wait_seconds"] = json!(0.01);
        if at < 105.0 {
            f["postgres"]["blocked"] = json!(0);
        }
    });
    assert_eq!(passing.limit, Limit::None);
}

#[test]
fn a_database_that_is_gone_is_said_so() {
    let binds = judged(|f, at| {
        f["breaker_open"] = json!(true);
        f["lanes"][0]["refused"] = json!({"database_gone": (10.0 * at) as u64});
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

/// Also while workers or logins look as if they bound.
#[test]
fn an_outage_that_requests_wait_out_is_said_so() {
    let binds = judged(|f, at| {
        saturate_create(f, at);
        f["outage_seconds"] = json!(0.8);
        f["lanes"][0]["waiting"] = json!(12);
        f["r2d2"]["timeouts"] = json!(at as u64);
    });
    let expected = "The database has not answered for 0.8 s: requests wait for it, 12 in queues; new ones are refused \
                    once that has lasted for half of REQUEST_DEADLINE_MS; start PostgreSQL and PgBouncer.";
    assert_eq!(
        (binds.limit, &*binds.sentence),
        (Limit::DatabaseGone, expected)
    );
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
