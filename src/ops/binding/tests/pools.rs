//! Limits between the workers and PostgreSQL, and samples that tell of them.

use super::*;

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
    // Before the first sample there is no figure, and its totals have not come about since.
    let unsampled = judged(|f, at| {
        waiting(f, at);
        if at < 105.0 {
            f["pgbouncer"] = json!({"error": "it was not asked yet", "age_seconds": 1.0});
        }
    });
    assert_eq!(unsampled.limit, Limit::None);
    // One sample at both ends is not two.
    let one = judged(|f, at| {
        f["pgbouncer"]["pool_size"] = json!(2);
        f["pgbouncer"]["clients_waiting"] = json!(9);
        f["pgbouncer"]["age_seconds"] = json!(at - 100.0 + 0.4);
    });
    assert_eq!(one.limit, Limit::None);
    let size_unknown = judged(|f, at| {
        waiting(f, at);
        f["pgbouncer"]["pool_size"] = json!(0);
    });
    assert_eq!(size_unknown.limit, Limit::None);
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
    assert!(
        refused.sentence.contains("max_connections 20"),
        "{refused:?}"
    );
    // It never did: there are no figures.
    let never = judged(|f, at| {
        full(f, at);
        f["postgres"] =
            json!({"error": "FATAL: sorry, too many clients already", "age_seconds": 9.0});
    });
    assert_eq!(never.limit, Limit::Connections);
    let said = "all that clients may have are taken, and more are wanted";
    assert!(never.sentence.contains(said), "{never:?}");
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
    let unknown = judged(|f, at| {
        waiting(f, at);
        f["pgbouncer"]["max_client_conn"] = json!(0);
    });
    assert_eq!(unknown.limit, Limit::R2d2);
    let logins = judged(waiting);
    assert_eq!(logins.limit, Limit::R2d2);
    assert!(logins.sentence.contains("no login succeeded"), "{logins:?}");
}
