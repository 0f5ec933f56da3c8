//! What can be said of the store without a database.

use super::backlog::{ENOUGH, entries};
use super::session::array_literal;
use super::*;
use r2d2::ManageConnection;

#[test]
fn array_literals_quote_every_element() {
    let literal = |items: &[&str]| {
        array_literal(
            &items
                .iter()
                .map(|item| (*item).to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(literal(&["a"]), r#"{"a"}"#);
    assert_eq!(
        literal(&["NULL", "", "a,b", "{}"]),
        r#"{"NULL","","a,b","{}"}"#
    );
    assert_eq!(
        literal(&[r#"say "hi""#, r"back\slash"]),
        r#"{"say \"hi\"","back\\slash"}"#
    );
}

#[test]
fn a_chain_names_every_cause_once() {
    let inner = std::io::Error::other("connection refused");
    let outer = std::io::Error::other(inner);
    assert!(chain(&outer).contains("connection refused"));
}

#[test]
fn only_logins_that_were_left_behind_count_as_hanging() {
    // The kernel accepts, and nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let database = Database {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
        dbname: "none".to_owned(),
        user: "nobody".to_owned(),
        password: None,
        tls: crate::config::Tls::Off,
        connect_timeout: Duration::from_millis(500),
    };
    let manager = Manager::new(database, Health::default()).unwrap();
    // A big pool logs in all at once, and more than may hang.
    let together = connection::HANGING_MAX + 16;
    std::thread::scope(|scope| {
        let logins: Vec<_> = (0..together)
            .map(|_| scope.spawn(|| manager.connect()))
            .collect();
        for login in logins {
            let result = login.join().unwrap();
            assert!(
                matches!(result, Err(LoginError::Silent { .. })),
                "{:?}",
                result.err()
            );
        }
    });
    assert!(matches!(manager.connect(), Err(LoginError::NoThread(_))));
}

#[test]
fn the_flusher_is_told_of_enough_entries_and_writers_of_too_many() {
    let (flusher, due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    backlog.add(ENOUGH - 1);
    assert!(due.try_recv().is_err());
    backlog.add(1);
    assert!(due.try_recv().is_ok());
    let added = backlog.added();

    // Writers go on while it flushes, and keep out of each other's way only when it falls behind.
    backlog.add(ENOUGH / 3);
    assert!(backlog.turn().is_none());
    backlog.add(1);
    let turn = backlog.turn();
    assert!(turn.is_some());
    backlog.flushed(added);
    assert_eq!(backlog.entries(), ENOUGH / 3 + 1);
    assert!(backlog.turn().is_none());
}

#[test]
fn searches_that_read_a_list_often_enough_have_it_flushed() {
    let (flusher, due) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    let read_until_told = || (1..1_000_000).find(|_| (backlog.read(), due.try_recv().is_ok()).1);
    backlog.add(ENOUGH / 2);
    let long = read_until_told().expect("told in the end");
    backlog.flushed(backlog.added());
    // What has been flushed costs a search nothing.
    backlog.read();
    assert!(!backlog.is_due());
    backlog.add(ENOUGH / 100);
    let short = read_until_told().expect("told in the end");
    assert!((45..=55).contains(&(short / long)), "{short} after {long}");
}

#[test]
fn a_row_has_an_entry_for_each_letter_and_each_skill() {
    let row = |name: &str, skills: usize| NewRow {
        id: Uuid::nil(),
        keyed: false,
        warrior: Arc::new(NewWarrior {
            name: name.to_owned(),
            dob: "1990-01-31".to_owned(),
            fight_skills: vec!["judo".to_owned(); skills],
        }),
    };
    assert_eq!(entries(&row("Ana", 2)), 5);
    assert_eq!(entries(&row("Žižka", 1)), 6);
}
