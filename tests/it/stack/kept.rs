//! Settings that are not about speed: each test asserts a behaviour that the default does not have.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::SimpleQueryMessage;
use prometheus_client::registry::Registry;
use warrior_api::config::{Database, Sizes};
use warrior_api::store::{Access, Postgres, Store};
use warrior_stack::{DATABASE, shipped};

use super::ask;
use crate::lock::TableLock;
use crate::supervisor::{Supervisor, connect, eventually, shared, stack};
use crate::support::{empty_database, fresh_database};

#[test]
fn what_is_slow_leaves_a_line_without_values() {
    let database = fresh_database();
    let mut runtime = database.runtime();
    let secret = "the name of somebody";
    runtime
        .query("select pg_sleep(0.6), $1::text", &[&secret])
        .unwrap();
    let mut owner = database.owner();
    owner.batch_execute("set work_mem = '64kB'").unwrap();
    let sorted = "select count(*) from (select n from generate_series(1, 50000) as n order by md5(n::text)) as s";
    owner.batch_execute(sorted).unwrap();
    let lock = TableLock::take(&database);
    std::thread::scope(|scope| {
        scope.spawn(|| owner.batch_execute("begin; lock table public.warrior; rollback"));
        for (role, told) in [
            ("warrior", "LOG:  duration: "),
            ("warrior_owner", "LOG:  temporary file: "),
            ("warrior_owner", " still waiting for "),
        ] {
            // The zone of the clock, the role and the database come from log_timezone and log_line_prefix.
            let who = format!(" {role}@{} ", database.name());
            eventually(told, || {
                log("postgresql.log").lines().any(|line| {
                    line.contains(" UTC [") && line.contains(&who) && line.contains(told)
                })
            });
        }
        lock.release();
    });
    assert!(!log("postgresql.log").contains(secret));
}

#[test]
fn a_statement_whose_client_has_gone_is_stopped() {
    let database = empty_database();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let login = Database {
        port: listener.local_addr().unwrap().port(),
        ..database.owner_login()
    };
    std::thread::spawn(move || {
        connect(&login)
            .unwrap()
            .simple_query("select pg_sleep(600)")
    });
    let (client, _) = listener.accept().unwrap();
    let server = TcpStream::connect(("127.0.0.1", shared().postgres.port)).unwrap();
    relay(&client, &server);
    relay(&server, &client);
    let sleeps = || {
        ask(
            &database.superuser_login(),
            "select count(*) from pg_stat_activity
              where datname = current_database() and wait_event = 'PgSleep'",
        )
    };
    eventually("the statement runs", || sleeps() == "1");
    server.shutdown(Shutdown::Both).unwrap();
    client.shutdown(Shutdown::Both).unwrap();
    eventually("it was stopped", || sleeps() == "0");
}

#[test]
fn a_frozen_backend_is_given_up() {
    let database = empty_database();
    let mut pooled = database.pooled();
    let mut pid = || -> Result<i32, postgres::Error> {
        let rows = pooled.query_typed("select pg_backend_pid()", &[])?;
        Ok(rows[0].get(0))
    };
    let backend = Pid::from_raw(pid().unwrap());
    kill(backend, Signal::SIGSTOP).unwrap();
    let begun = Instant::now();
    let answer = pid();
    let waited = begun.elapsed();
    kill(backend, Signal::SIGCONT).unwrap();
    assert!(answer.is_err());
    // Later than statement_timeout, which bounds statements that are slow and alive.
    let seconds = Duration::from_secs(3)..Duration::from_secs(20);
    assert!(seconds.contains(&waited), "{waited:?}");
}

/// Sooner than any other statement, since no outage ends while the probe waits.
#[test]
fn a_frozen_backend_holds_up_the_probe_for_its_own_time_alone() {
    const TIME: Duration = Duration::from_millis(300);
    let database = fresh_database();
    let sizes = Sizes {
        workers_create: 1,
        workers_find: 1,
        workers_search: 1,
        pool_min: 1,
        batch_max: 1,
        queue_max: 1,
        connections_max: 1,
    };
    let store = Postgres::new(&database.pooled_login(), &sizes, &mut Registry::default()).unwrap();
    // While all connections are held, nothing logs in, the flusher waits, and PgBouncer opens no other backend.
    let mut held = Vec::new();
    let hold = |held: &mut Vec<_>| {
        eventually("all connections are held", || {
            held.extend(store.connect(Access::Aside));
            held.len() == sizes.pool()
        });
    };
    let probe = |connected, time| Postgres::within(connected, time).probe();
    hold(&mut held);
    probe(held.pop().unwrap(), Duration::from_secs(60)).unwrap();
    hold(&mut held);
    let backends = "select pid from pg_stat_activity where datname = current_database() and usename = 'warrior'";
    let frozen: Vec<Pid> = (database.superuser().query(backends, &[]).unwrap().iter())
        .map(|row| Pid::from_raw(row.get(0)))
        .collect();
    let signal = |signal| frozen.iter().for_each(|pid| kill(*pid, signal).unwrap());
    signal(Signal::SIGSTOP);
    let begun = Instant::now();
    // A checkout would find out by itself, and take another.
    let answer = probe(held.pop().unwrap(), TIME);
    let waited = begun.elapsed();
    signal(Signal::SIGCONT);
    assert!(answer.is_err(), "{answer:?} by {frozen:?}");
    assert!(waited < Duration::from_secs(3), "{waited:?}");
}

#[test]
fn an_idle_transaction_gives_its_connection_back() {
    let database = empty_database();
    let login = Database {
        dbname: database.name().to_owned(),
        ..shared().pooler_statistics()
    };
    let mut monitor = connect(&login).unwrap();
    monitor.batch_execute("begin").unwrap();
    let idle = || {
        ask(
            &database.superuser_login(),
            "select count(*) from pg_stat_activity
              where datname = current_database() and state = 'idle in transaction'",
        )
    };
    assert_eq!(idle(), "1");
    eventually("the transaction was ended", || idle() == "0");
}

#[test]
fn clients_that_stay_share_the_connections_of_the_server() {
    let database = empty_database();
    let pool = shipped::setting(shipped::PGBOUNCER_INI, "default_pool_size");
    let more: usize = pool.unwrap().parse::<usize>().unwrap() + 1;
    // All connections stay until the last one has its answer.
    let mut clients: Vec<_> = (0..more).map(|_| database.pooled()).collect();
    for client in &mut clients {
        client.simple_query("select 1").unwrap();
    }
}

#[test]
fn the_pool_of_pgbouncer_is_as_large_as_it_is_told() {
    let sizes = ["--workers", "9", "--pgbouncer-default-pool-size", "3"];
    let narrow = Supervisor::start(stack().arg("--ephemeral").args(sizes)).expect("it starts");
    let mut console = connect(&narrow.endpoints.pooler_admin()).unwrap();
    let config = console.simple_query("show config").unwrap();
    let shown = config.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) if row.get("key") == Some("default_pool_size") => {
            row.get("value").map(str::to_owned)
        }
        _ => None,
    });
    assert_eq!(shown.as_deref(), Some("3"));
}

#[test]
fn a_half_open_client_is_closed() {
    let mut client = TcpStream::connect(("127.0.0.1", shared().pooler.port)).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut said = Vec::new();
    client.read_to_end(&mut said).unwrap();
}

#[test]
fn a_parameter_that_drivers_always_send_is_no_reason_to_refuse() {
    for (parameter, value, answer) in [
        ("extra_float_digits", "2", b'R'),
        ("options", "-c statement_timeout=1", b'R'),
        // CVE-2026-107349: an empty name made 1.24 spin for ever while `options` was not listed.
        ("options", "-c =x", b'R'),
        ("unheard_of", "2", b'E'),
    ] {
        let mut client = TcpStream::connect(("127.0.0.1", shared().pooler.port)).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut startup = vec![0, 0, 0, 0, 0, 3, 0, 0];
        for word in [
            "user", "warrior", "database", DATABASE, parameter, value, "",
        ] {
            startup.extend(word.as_bytes());
            startup.push(0);
        }
        startup[3] = u8::try_from(startup.len()).unwrap();
        client.write_all(&startup).unwrap();
        let mut first = [0];
        client.read_exact(&mut first).unwrap();
        assert_eq!(first[0], answer, "{parameter}");
    }
}

#[test]
fn logins_leave_no_line_in_the_log_of_the_pooler() {
    let runtime = shared().runtime(DATABASE);
    assert_eq!(ask(&runtime, "select 1"), "1");
    let mut console = connect(&shared().pooler_admin()).unwrap();
    // The answer comes from the same event loop that would have written the line before it.
    console.simple_query("show version").unwrap();
    let log = log("pgbouncer.log");
    assert!(log.contains("process up"), "{log}");
    assert!(!log.contains("login attempt"), "{log}");
}

fn log(name: &str) -> String {
    fs::read_to_string(shared().data.join("log").join(name)).unwrap()
}

fn relay(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
}
