//! Sizes that are too small for each other, a lock, slow clients, and health.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::load::{beside, create};
use super::{Alone, PATIENCE, SLEEPY, says, says_one_of};
use crate::large;
use crate::lock::TableLock;
use crate::supervisor::connect;

/// What other tests make of the machine is a limit, too: its processors, then.
#[test]
fn nothing_of_ours_binds_a_server_that_is_asked_one_by_one() {
    let alone = Alone::take();
    let database = alone.database();
    let server = alone.serve(&database, &[("WORKERS", "6")]);
    beside(
        1,
        || create(server.public),
        || {
            // A server that has just started says so first.
            let deadline = Instant::now() + PATIENCE;
            loop {
                let (limit, sentence) = says_one_of(&server, &["none", "machine-cpu"]);
                if limit == "machine-cpu" || sentence.contains("the busiest lane") {
                    break;
                }
                assert!(Instant::now() < deadline, "{sentence}");
                std::thread::sleep(Duration::from_secs(1));
            }
        },
    );
}

#[test]
fn a_pool_of_two_connections_binds_64_workers() {
    let alone = Alone::take();
    let mut console = connect(&alone.endpoints().pooler_admin()).unwrap();
    let mut set = |size: u32| {
        let set = format!("set default_pool_size = {size}");
        console.simple_query(&set).unwrap();
    };
    set(2);
    let database = alone.database();
    database.superuser().batch_execute(SLEEPY).unwrap();
    let sizes = [
        ("WORKERS_CREATE", "64"),
        ("WORKERS_FIND", "1"),
        ("WORKERS_SEARCH", "1"),
    ];
    let server = alone.serve(&database, &sizes);
    let sentence = beside(
        60,
        || create(server.public),
        || says(&server, "pgbouncer-pool"),
    );
    set(50);
    for part in ["wait", "for 2 connections", "raise default_pool_size"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[test]
fn one_worker_binds_a_pool_of_50() {
    let alone = Alone::take();
    let database = alone.database();
    database.superuser().batch_execute(SLEEPY).unwrap();
    let server = alone.serve(&database, &[("WORKERS", "3")]);
    let sentence = beside(12, || create(server.public), || says(&server, "workers"));
    for part in ["of create bind", "for 1 worker", "raise WORKERS_CREATE"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[test]
fn twenty_connections_of_postgres_bind_60_workers() {
    let mut alone = Alone::take();
    let few = |alone: &mut Alone, setting: &str| {
        let mut superuser = connect(&alone.endpoints().superuser("postgres")).unwrap();
        superuser.batch_execute(setting).unwrap();
        drop(superuser);
        alone.0.command("stop postgres");
        alone.0.command("start postgres");
    };
    let database = alone.database();
    database.superuser().batch_execute(SLEEPY).unwrap();
    few(&mut alone, "alter system set max_connections = 20");
    let sizes = [
        ("WORKERS_CREATE", "60"),
        ("WORKERS_FIND", "1"),
        ("WORKERS_SEARCH", "1"),
    ];
    let server = alone.serve(&database, &sizes);
    let sentence = beside(
        60,
        || create(server.public),
        || says(&server, "connections"),
    );
    drop(server);
    few(&mut alone, "alter system reset max_connections");
    for part in ["max_connections 20", "lower default_pool_size (50)"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[test]
fn a_lock_that_somebody_holds_binds() {
    let alone = Alone::take();
    let database = alone.database();
    let server = alone.serve(&database, &[("WORKERS", "6")]);
    let lock = TableLock::take(&database);
    let sentence = beside(4, || create(server.public), || says(&server, "lock"));
    lock.release();
    assert!(sentence.contains("pg_blocking_pids"), "{sentence}");
    says(&server, "none");
}

#[test]
fn clients_that_take_their_answers_slowly_bind() {
    let alone = Alone::take();
    let database = alone.database();
    large::fill(&database);
    let server = alone.serve(&database, &[("WORKERS", "6")]);
    let sentence = beside(
        8,
        || read_slowly(server.public),
        || says(&server, "clients"),
    );
    assert!(sentence.contains("not taken yet"), "{sentence}");
}

/// A client that takes a second for an answer, as one behind a thin line does.
fn read_slowly(address: SocketAddr) {
    let mut stream = large::narrow(address);
    let get = b"GET /warrior?t=large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(get).unwrap();
    let mut piece = vec![0; 32 << 10];
    while stream.read(&mut piece).is_ok_and(|n| n > 0) {
        std::thread::sleep(Duration::from_millis(30));
    }
}
