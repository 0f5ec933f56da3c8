//! What can be said of the store without a database.

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
fn the_flusher_is_told_of_enough_rows_and_writers_of_too_many() {
    let (flusher, enough) = sync_channel(1);
    let backlog = Backlog::new(flusher);
    backlog.add(4095);
    assert!(enough.try_recv().is_err());
    backlog.add(1);
    assert!(enough.try_recv().is_ok());
    let added = backlog.added();

    // Writers go on while it flushes, and keep out of each other's way only when it falls behind.
    backlog.add(4096);
    assert!(backlog.turn().is_none());
    backlog.add(1);
    let turn = backlog.turn();
    assert!(turn.is_some());
    backlog.flushed(added);
    assert_eq!(backlog.rows(), 4097);
    assert!(backlog.turn().is_none());
}
