//! What a start says of its database before it says that it serves.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use warrior_api::config::Database;
use warrior_api::store::{LoginError, Refusal};

use crate::program::{Program, from, serve};
use crate::supervisor::{Scratch, Supervisor, connect, shared};
use crate::support::{empty_database, fresh_database};

/// What it says, up to and with the line that it serves, from `database` and with other variables.
pub(crate) fn said(database: &Database, variables: &[(&str, &str)]) -> String {
    let mut command = serve();
    let command = from(&mut command, database).env("LOG_LEVEL", "off");
    // Time enough on a busy machine, whose database would seem to keep silent.
    command.env("DB_CONNECT_TIMEOUT_MS", "15000");
    for (name, value) in variables {
        command.env(name, value);
    }
    let program = Program::start(command);
    let lines = program.lines();
    let end = lines
        .iter()
        .position(|line| line.contains("serving http://"));
    lines[..end.unwrap()].join("\n")
}

#[test]
fn a_database_that_can_be_served_is_said_nothing_of() {
    let database = fresh_database();
    for login in [database.pooled_login(), database.direct_login()] {
        assert_eq!(said(&login, &[]), "");
    }
}

#[test]
fn a_wrong_password_is_said_with_what_to_set() {
    let files = Scratch::new();
    let wrong = files.join("password");
    fs::write(&wrong, "wrong").unwrap();
    let database = fresh_database();
    let file = [("POSTGRES_PASSWORD_FILE", wrong.to_str().unwrap())];
    for login in [database.pooled_login(), database.direct_login()] {
        let said = said(&login, &file);
        for word in ["cannot be used yet", "POSTGRES_PASSWORD", "psql -h"] {
            assert!(said.contains(word), "{said}");
        }
    }
}

#[test]
fn a_database_that_is_not_up_yet_is_said_and_one_that_keeps_silent_within_its_time() {
    let database = fresh_database().pooled_login();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = Database {
        port: listener.local_addr().unwrap().port(),
        ..database
    };
    let began = Instant::now();
    let line = said(&silent, &[("DB_CONNECT_TIMEOUT_MS", "200")]);
    assert!(
        line.contains("keeps silent") || line.contains("cannot be used yet"),
        "{line}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    drop(listener);
    let line = said(&silent, &[]);
    assert!(
        line.contains("cannot be used yet") && line.contains("POSTGRES_PORT"),
        "{line}"
    );
}

#[test]
fn a_database_without_the_schema_or_that_is_missing_is_said() {
    let database = empty_database();
    let line = said(&database.pooled_login(), &[]);
    assert!(line.contains("warrior-api schema apply"), "{line}");
    for login in [database.direct_login(), database.pooled_login()] {
        let missing = Database {
            dbname: "nowhere".to_owned(),
            ..login
        };
        let line = said(&missing, &[]);
        for word in ["cannot be used yet", "nowhere", "another under that name"] {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
}

#[test]
fn a_database_that_has_no_connection_left_is_said() {
    let database = fresh_database();
    let limit = format!("alter database {} connection limit 0", database.name());
    database.superuser().batch_execute(&limit).unwrap();
    let line = said(&database.direct_login(), &[]);
    for word in ["cannot be used yet", "set WORKERS lower"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[test]
fn a_password_that_is_asked_for_and_missing_is_a_matter_of_credentials() {
    let database = fresh_database();
    for login in [database.direct_login(), database.pooled_login()] {
        let login = Database {
            password: None,
            ..login
        };
        let refused = match warrior_api::store::connect(&login) {
            Err(LoginError::Refused { refusal, .. }) => refusal,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was let in"),
        };
        assert_eq!(refused, Refusal::Credentials);
    }
}

#[test]
fn more_workers_than_the_database_has_connections_for_are_said() {
    let database = fresh_database();
    let limit = format!("alter database {} connection limit 10", database.name());
    database.superuser().batch_execute(&limit).unwrap();
    let many = [("WORKERS", "40")];
    let line = said(&database.direct_login(), &many);
    for word in [
        "at most 10 connections",
        "may use 42",
        "WORKERS=8",
        "connection limit -1",
    ] {
        assert!(line.contains(word), "{word}: {line}");
    }
    let line = said(&database.pooled_login(), &many);
    assert!(line.contains("pool size of the pooler at 10"), "{line}");
    assert_eq!(said(&database.direct_login(), &[]), "");
    // Fewer than the fewest workers need.
    let limit = limit.replace("10", "4");
    database.superuser().batch_execute(&limit).unwrap();
    let line = said(&database.direct_login(), &[]);
    assert!(line.contains("at most 4 connections"), "{line}");
    assert!(!line.contains("WORKERS"), "{line}");
    // More than max_connections of a throw-away stack.
    let most = [("WORKERS", "300"), ("DB_POOL_MAX", "400")];
    let line = said(&database.direct_login(), &most);
    assert!(line.contains("max_connections"), "{line}");
}

#[test]
fn a_pooler_that_tells_its_sizes_and_its_version_is_heard() {
    let stack = shared();
    let console = stack.pooler_statistics();
    let found = warrior_api::store::pooler_shortcomings(&console, "postgres", 10_000);
    let found = found.join("\n");
    for word in ["default_pool_size", "max_client_conn", "10000"] {
        assert!(found.contains(word), "{found}");
    }
    // Before 1.26.1.
    if stack.pooler.version.minor < 26 {
        assert!(found.contains("CVE-2026-107350"), "{found}");
    }
    // Closed by the shipped settings, whatever the version.
    assert!(!found.contains("CVE-2026-107349"), "{found}");
    // Whoever is not let in on the console hears nothing.
    let runtime = stack.runtime("pgbouncer");
    assert!(warrior_api::store::pooler_shortcomings(&runtime, "postgres", 10_000).is_empty());
}

#[test]
fn a_pooler_that_lends_no_transactions_is_heard() {
    let stack = Supervisor::throw_away();
    let found = || {
        let console = stack.endpoints.pooler_statistics();
        warrior_api::store::pooler_shortcomings(&console, "postgres", 1).join("\n")
    };
    assert!(!found().contains("pool_mode"), "{}", found());
    let mut console = connect(&stack.endpoints.pooler_admin()).unwrap();
    console.simple_query("set pool_mode = statement").unwrap();
    assert!(
        found().contains("set pool_mode = transaction"),
        "{}",
        found()
    );
}
