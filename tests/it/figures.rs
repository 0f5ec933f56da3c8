//! Figures: what `/figures` says of the server, its pools and its database.

use serde_json::Value;
use warrior_api::ops::figures::Figures;

use crate::api::warrior;
use crate::lock::{TableLock, wait_for_locks_for_ever};
use crate::openmetrics::open_metrics;
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::{Fresh, fresh_database};

fn figures(server: &TestServer) -> Figures {
    let json = server.ask_admin("/figures").json(200);
    serde_json::from_value(json).unwrap()
}

fn monitored(database: &Fresh) -> TestServer {
    TestServer::with(&database.pooled_login(), |server| {
        server.monitoring = Some(database.monitoring());
    })
}

/// Waits until both are sampled.
fn await_samples(server: &TestServer) -> Figures {
    let mut sampled = None;
    eventually("both are sampled", || {
        let now = figures(server);
        let good = now.pgbouncer.as_ref().is_some_and(|p| p.error.is_none())
            && now.postgres.as_ref().is_some_and(|p| p.error.is_none());
        sampled = good.then_some(now);
        good
    });
    sampled.unwrap()
}

#[test]
fn every_part_is_told() {
    let database = fresh_database();
    let server = monitored(&database);
    server.await_ready();
    for n in 0..3 {
        server.post(&warrior(&format!("n{n}"))).json(201);
    }
    server.find("n1").json(200);
    eventually("all creates are told", || {
        let now = await_samples(&server);
        let create = &now.lanes[0];
        assert_eq!((create.lane.as_str(), create.workers), ("create", 1));
        assert_eq!((create.queue_max, create.batch_max), (2048, 128));
        assert_eq!(now.stages["create"].requests, 3);
        let posts = now.answers.iter().find(|a| a.route == "POST /warrior");
        let posts = posts.unwrap();
        assert_eq!((posts.status, posts.count), (201, 3));
        assert_eq!(posts.buckets.last().unwrap().1, 3);
        let pool = now.r2d2.as_ref().unwrap();
        assert!(pool.created >= 1 && pool.checkouts >= 4, "{pool:?}");
        let postgres = now.postgres.as_ref().unwrap().figures.as_ref().unwrap();
        assert!(
            postgres.max_connections > postgres.connections,
            "{postgres:?}"
        );
        assert!(
            postgres.database_bytes > 0 && postgres.wal_bytes > 0.0,
            "{postgres:?}"
        );
        assert!(postgres.pending_list_bytes.is_some(), "{postgres:?}");
        let pooler = now.pgbouncer.as_ref().unwrap().figures.as_ref().unwrap();
        assert_eq!(pooler.pool_mode, "transaction");
        assert!(pooler.pool_size >= 5 && pooler.max_client_conn > pooler.clients);
        assert!(now.process.is_some() == cfg!(target_os = "linux"));
        // PgBouncer's statistics, and PostgreSQL's of the table, come with the next sample.
        let clients = pooler.clients_active > 0 && pooler.clients > pooler.clients_active;
        create.requests == 3 && clients && pooler.transactions > 3 && postgres.commits > 0
    });
}

#[test]
fn a_held_lock_shows_in_lane_pooler_and_database() {
    let database = fresh_database();
    wait_for_locks_for_ever(&database);
    let server = monitored(&database);
    server.await_ready();
    let mut lock = TableLock::take(&database);
    std::thread::scope(|scope| {
        scope.spawn(|| server.post(&warrior("waits")));
        lock.await_waiting(1);
        eventually("the wait is told", || {
            let now = await_samples(&server);
            let postgres = now.postgres.unwrap().figures.unwrap();
            let blocked = postgres.blocked >= 1 && postgres.waits["Lock"] >= 1;
            let aged = postgres.longest_statement_seconds > 0.0
                && postgres.longest_lock_wait_seconds > 0.0
                && postgres.longest_idle_transaction_seconds > 0.0;
            let lent = now.pgbouncer.unwrap().figures.unwrap().servers_active >= 1;
            blocked && aged && lent && now.lanes[0].busy == 1
        });
        lock.release();
    });
}

#[test]
fn peers_that_are_gone_are_told_by_their_error_and_cost_nothing_else() {
    let database = fresh_database();
    let server = TestServer::with(&database.pooled_login(), |server| {
        let mut monitoring = database.monitoring();
        // Nobody listens there, and there a PostgreSQL has no console.
        monitoring.server.port = 1;
        monitoring.console.port = database.direct_login().port;
        server.monitoring = Some(monitoring);
    });
    server.await_ready();
    server.post(&warrior("n")).json(201);
    eventually("the errors are told", || {
        let now = figures(&server);
        let postgres = now.postgres.unwrap();
        let said = postgres.error.unwrap_or_default();
        said.contains(":1") && postgres.age_seconds > 0.0 && now.pgbouncer.is_none()
    });
    let metrics = open_metrics(server.ask_admin("/metrics").text());
    assert_eq!(metrics.sample("postgresql_up"), 0.0);
}

#[test]
fn without_a_role_there_are_no_statistics() {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    let json: Value = server.ask_admin("/figures").json(200);
    assert!(json["postgres"].is_null() && json["pgbouncer"].is_null());
    assert!(!server.ask_admin("/metrics").text().contains("postgresql_"));
}

#[test]
fn a_pooler_is_refused_by_the_variables_to_set() {
    let database = fresh_database();
    let server = TestServer::with(&database.pooled_login(), |server| {
        let mut monitoring = database.monitoring();
        monitoring.server.port = monitoring.console.port;
        server.monitoring = Some(monitoring);
    });
    eventually("the variables are named", || {
        let postgres = figures(&server).postgres.unwrap();
        assert_eq!(postgres.figures, None);
        let said = postgres.error.unwrap_or_default();
        said.contains("POSTGRES_DIRECT_HOST and POSTGRES_DIRECT_PORT")
    });
    let metrics = server.ask_admin("/metrics");
    for part in ["postgresql_up 0", "postgresql_sample_age_seconds "] {
        assert!(metrics.text().contains(part), "{}", metrics.text());
    }
    assert!(!metrics.text().contains("postgresql_commits"));
}

#[test]
fn a_count_that_is_locked_keeps_nothing_else_from_being_told() {
    let database = fresh_database();
    let mut owner = database.owner();
    let mut holder = owner.transaction().unwrap();
    holder
        .batch_execute("lock table public.warrior_count in access exclusive mode")
        .unwrap();
    let server = monitored(&database);
    eventually("all but the pending lists is told", || {
        let postgres = await_samples(&server).postgres.unwrap().figures.unwrap();
        postgres.max_connections > 0 && postgres.pending_list_bytes.is_none()
    });
    holder.rollback().unwrap();
    eventually("the pending lists are told, too", || {
        let postgres = await_samples(&server).postgres.unwrap().figures.unwrap();
        postgres.pending_list_bytes.is_some()
    });
}
