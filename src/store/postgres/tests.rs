//! The store without a database: deadlines of logins, and the backlog.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use r2d2::ManageConnection;
use serde_json::json;
use uuid::Uuid;

use super::backlog::{
    Backlog, FLUSH_AT_BYTES, FLUSH_MIN_BYTES, HELD_BACK_MAX, THROTTLE_ABOVE_BYTES,
};
use super::connection::Manager;
use super::create::list_bytes;
use super::liveness::Liveness;
use super::*;
use crate::warrior::NewWarrior;

/// How much later than its deadline a login may end on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_silent_server_is_left_at_the_deadline_by_all_at_once() {
    // The kernel accepts, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let manager = manager(&silent);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let logins: Vec<_> = (0..16).map(|_| scope.spawn(|| manager.connect())).collect();
        for login in logins {
            let result = login.join().unwrap();
            // One that comes only after another's deadline is told of that.
            let silent = matches!(
                result,
                Err(LoginError::Silent { .. } | LoginError::Failing(_))
            );
            assert!(silent, "{:?}", result.err());
        }
    });
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

/// As `localhost` may be ::1 first, where another program listens.
#[test]
fn an_address_that_keeps_silent_leaves_the_next_one_its_share() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = database(&silent);
    let addresses = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2])];
    let next = TcpListener::bind((addresses[1], database.port)).unwrap();
    let limit = PATIENCE / 5;
    let logins = login::Logins::new(database).unwrap();
    let result = logins.try_each(&addresses, limit, Instant::now() + limit);
    assert!(matches!(result, Err(LoginError::Silent { .. })));
    next.set_nonblocking(true).unwrap();
    assert!(next.accept().is_ok(), "the second address was not tried");
}

/// `localhost` may be a pooler at ::1 and another program at 127.0.0.1: what the pooler does not know is left out for both.
#[test]
fn a_parameter_that_one_address_does_not_know_is_told_whatever_another_says() {
    let pooler = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = database(&pooler);
    let addresses = [IpAddr::from([127, 0, 0, 2]), IpAddr::from([127, 0, 0, 1])];
    let other = TcpListener::bind((addresses[0], database.port)).unwrap();
    let logins = login::Logins::new(database).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| turn_away(&other, "28P01", "password authentication failed"));
        scope.spawn(|| turn_away(&pooler, "08P01", "unsupported startup parameter: options"));
        let result = logins.try_each(&addresses, PATIENCE, Instant::now() + PATIENCE);
        let refusal = result.map_err(|e| e.refusal()).err();
        assert_eq!(refusal, Some(refusal::Refusal::Parameter));
    });
}

/// Answers a login with an error.
fn turn_away(server: &TcpListener, sqlstate: &str, message: &str) {
    let (mut socket, _) = server.accept().unwrap();
    read_startup(&mut socket);
    let fields = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    socket.write_all(b"E").unwrap();
    socket.write_all(&length.to_be_bytes()).unwrap();
    socket.write_all(fields.as_bytes()).unwrap();
}

/// A byte now and then keeps alive any limit that begins anew with each read.
#[test]
fn a_server_that_trickles_is_left_at_the_deadline_too() {
    let trickling = TcpListener::bind("127.0.0.1:0").unwrap();
    let manager = manager(&trickling);
    let server = std::thread::spawn(move || {
        let (mut socket, _) = trickling.accept().unwrap();
        // The head of a message that is longer than what ever comes.
        let mut bytes = b"R\0\x10\0\0".iter().chain(std::iter::repeat(&0));
        while bytes
            .next()
            .is_some_and(|byte| socket.write_all(&[*byte]).is_ok())
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let began = Instant::now();
    assert!(matches!(manager.connect(), Err(LoginError::Silent { .. })));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    // The socket is closed, so the server's next byte finds nobody.
    server.join().unwrap();
}

#[test]
fn a_server_that_lets_in_and_keeps_silent_is_asked_no_longer_than_it_may() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = database(&silent);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| (0..2).for_each(|_| let_in(&silent)));
        let began = Instant::now();
        assert!(!Look::begin(&database, 1).end().is_empty());
        assert!(pooler_shortcomings(&database, "none", 1).is_empty());
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        server.join().unwrap();
    });
}

/// Lets a client in, and waits until it has left.
fn let_in(server: &TcpListener) {
    let (mut socket, _) = server.accept().unwrap();
    read_startup(&mut socket);
    // AuthenticationOk and ReadyForQuery.
    let welcome = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    socket.write_all(welcome).unwrap();
    while socket.read(&mut [0; 1024]).expect("the client leaves") > 0 {}
}

fn read_startup(socket: &mut TcpStream) {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - length.len()];
    socket.read_exact(&mut startup).unwrap();
}

#[test]
fn a_name_server_that_keeps_silent_holds_one_thread_and_no_login() {
    let resolver = resolver::Resolver::new();
    let (answer, awaited) = sync_channel::<()>(0);
    let soon = || Instant::now() + Duration::from_millis(50);
    let given_up = resolver.ask(soon(), move || {
        awaited.recv().unwrap();
        Ok(vec![[10, 0, 0, 1].into()])
    });
    assert!(given_up.unwrap_err().contains("no answer in time"));
    let shared = resolver.ask(soon(), || unreachable!("one lookup runs already"));
    assert!(shared.is_err());
    let later = Instant::now() + PATIENCE;
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| resolver.ask(later, move || Ok(vec![[10, 0, 0, 1].into()])));
        answer.send(()).unwrap();
        assert_eq!(asked.join().unwrap(), Ok(vec![IpAddr::from([10, 0, 0, 1])]));
    });
}

#[test]
fn the_wait_for_an_answer_is_longer_than_the_role_s_statement_timeout() {
    let roles = include_str!("../../../postgres-conf/roles.sql");
    let seconds = session::STATEMENT_TIMEOUT.as_secs();
    let setting = format!("set statement_timeout = '{seconds}s'");
    assert!(roles.contains(&setting), "{setting}");
}

fn manager(server: &TcpListener) -> Manager {
    let forms = named::Forms::default();
    let metrics = PoolMetrics::register(&mut Registry::default(), 1);
    Manager::new(database(server), Liveness::default(), metrics, forms).unwrap()
}

fn database(server: &TcpListener) -> Database {
    Database {
        host: "127.0.0.1".to_owned(),
        port: server.local_addr().unwrap().port(),
        dbname: "none".to_owned(),
        user: "nobody".to_owned(),
        password: None,
        tls: crate::config::Tls::Off,
        connect_timeout: Duration::from_millis(500),
    }
}

#[test]
fn the_database_is_asked_in_time_and_writers_take_turns_above_too_much() {
    let (flusher, due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    backlog.add(FLUSH_AT_BYTES / 16 - 1);
    assert!(due.try_recv().is_err());
    backlog.add(1);
    assert!(due.try_recv().is_ok());
    // Fifteen other servers have added the same.
    backlog.learn(backlog.asking(), FLUSH_AT_BYTES, 0);
    assert_eq!(backlog.due(false), Some(FLUSH_AT_BYTES));

    // Writers go on while one of them flushes, and keep out of each other's way only when they outrun it.
    let asked = backlog.asking();
    backlog.add(FLUSH_AT_BYTES);
    assert!(backlog.turn().is_none());
    backlog.add(1);
    let turn = backlog.turn();
    assert!(turn.is_some());
    drop(turn);
    // What was added after the database was asked is still to come.
    backlog.learn(asked, 0, 0);
    assert_eq!(backlog.asking().added, FLUSH_AT_BYTES + 1);
    assert!(backlog.turn().is_none());
    backlog.forget();
    assert_eq!(backlog.due(true), None);

    // A flush of much that was cut off has competed with too much.
    backlog.add(FLUSH_AT_BYTES);
    backlog.cut_off();
    assert!(!backlog.is_behind() && backlog.turn().is_none());
    backlog.add(1);
    assert!(backlog.is_behind() && backlog.turn().is_some());
    backlog.flushed();
    assert!(!backlog.is_behind() && backlog.turn().is_none());
}

#[test]
fn lists_that_cannot_be_flushed_hold_nobody_up_for_ever() {
    let (flusher, _due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    backlog.add(10 * THROTTLE_ABOVE_BYTES);
    for _ in 0..2 {
        backlog.flushed();
        let now = Instant::now();
        assert!(backlog.is_behind_at(now));
        assert!(!backlog.is_behind_at(now + HELD_BACK_MAX));
        backlog.cut_off();
    }
}

#[test]
fn searches_that_read_a_list_often_enough_have_it_flushed() {
    let (flusher, _due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    let read_until_due =
        || (1..1_000_000).find(|_| (backlog.read(), backlog.due(false).is_some()).1);
    backlog.add(FLUSH_AT_BYTES / 2);
    let long = read_until_due().expect("due in the end");
    backlog.learn(backlog.asking(), 0, 0);
    // Bytes that were flushed cost a search nothing.
    backlog.read();
    assert_eq!(backlog.due(false), None);
    backlog.add(FLUSH_AT_BYTES / 100);
    let short = read_until_due().expect("due in the end");
    assert!((45..=55).contains(&(short / long)), "{short} after {long}");
    // What searches of other servers have read counts the same.
    let read = backlog.asking().read;
    backlog.learn(backlog.asking(), FLUSH_MIN_BYTES, read);
    assert_eq!(backlog.due(false), Some(FLUSH_MIN_BYTES));
}

#[test]
fn a_quiet_time_has_all_flushed_but_what_a_flush_would_leave() {
    let (flusher, _due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    backlog.add(FLUSH_MIN_BYTES - 1);
    assert_eq!(backlog.due(true), None);
    backlog.add(1);
    assert_eq!(backlog.due(true), Some(FLUSH_MIN_BYTES));
    assert_eq!(backlog.due(false), None);
}

#[test]
fn the_lengths_of_the_lists_agree() {
    let roles = include_str!("../../../postgres-conf/roles.sql");
    let limit = roles.split("set gin_pending_list_limit = '").nth(1);
    let limit = limit.and_then(|rest| rest.split("MB'").next());
    let limit: u64 = limit.unwrap().parse().unwrap();
    // Writers take turns long before one of them flushes in its own statement.
    assert!(THROTTLE_ABOVE_BYTES + FLUSH_AT_BYTES <= limit * 1024 * 1024);
    let bench = include_str!("../../../bench/src/sql/flush_due.sql");
    let flush = format!("select public.warrior_flush({FLUSH_AT_BYTES}, ");
    assert!(bench.contains(&flush), "bench flushes as the server does");
}

#[test]
fn a_row_has_an_entry_for_each_letter_and_each_skill() {
    let body = |name: &str, skills: usize| {
        json!({"name": name, "dob": "1990-01-31", "fight_skills": vec!["judo"; skills]}).to_string()
    };
    let row = |name: &str, skills: usize| NewRow {
        id: Uuid::nil(),
        keyed: false,
        warrior: Arc::new(NewWarrior::parse(body(name, skills).as_bytes()).unwrap()),
    };
    assert_eq!(list_bytes(&row("Ana", 2)), 3 * 24 + 2 * 24);
    assert_eq!(list_bytes(&row("Žižka", 1)), 7 * 24 + 24);
}
