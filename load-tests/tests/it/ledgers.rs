//! Ledgers verified later: by HTTP after other runs, and against a tampered table.

use std::path::PathBuf;

use warrior_load::control::Cluster;
use warrior_load::stack::Programs;

use crate::contract::{Contract, Faults};
use crate::scratch::{CREATES_ALONE, Scratch};

#[test]
fn an_unknown_outcome_is_counted_whatever_was_sent_and_answered() {
    let (scratch, server) = (Scratch::new(), Contract::start(Faults::default()));
    let ledger = scratch.0.join("unknown.ledger");
    let lines = [
        &format!(
            r#"{{"ledger":1,"run":"r","target":"{}","started_at":0,"count_before":0}}"#,
            server.url()
        ),
        r#"{"sent":0,"body":{"name":"A","dob":"1990-01-01","fight_skills":null}}"#,
        r#"{"sent":1,"body":{"name":"B","dob":"1990-01-01","fight_skills":["Judo"]}}"#,
        r#"{"answer":1,"status":504,"location":"not a location"}"#,
    ];
    std::fs::write(&ledger, lines.join("\n") + "\n").expect("written");
    let (code, text) = scratch.load(&["verify", &ledger.display().to_string()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("unknown 2: 0 stored, 2 not"), "{text}");
}

#[test]
fn a_ledger_verifies_by_http_also_after_later_runs() {
    let server = Contract::start(Faults::default());
    let (first, second) = (Scratch::new(), Scratch::new());
    for scratch in [&first, &second] {
        let profile = scratch.profile(CREATES_ALONE);
        let (code, text) = scratch.load(&["run", "--url", &server.url(), "--profile", &profile]);
        assert_eq!(code, 0, "{text}");
    }
    for scratch in [&first, &second] {
        let ledger = scratch.file("ledger").display().to_string();
        let (code, text) = scratch.load(&["verify", &ledger]);
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn a_run_that_is_reproduced_stores_no_row_of_the_first() {
    let server = Contract::start(Faults {
        refuse_first: 10,
        ..Faults::default()
    });
    let (first, second) = (Scratch::new(), Scratch::new());
    let profile = first.profile(CREATES_ALONE);
    let url = server.url();
    // Among the ten that are refused is no name so short that a search finds too many rows to tell.
    let arguments = ["run", "--url", &url, "--profile", &profile, "--seed", "1"];
    let (code, text) = first.load(&arguments);
    assert_eq!(code, 0, "{text}");
    let result = first.file("json").display().to_string();
    let (_, text) = second.load(&["reproduce", &result]);
    // The second run stores what the first was refused, under the same seed.
    assert!(text.contains(" 0 refused"), "{text}");
    let (code, text) = first.load(&["verify", &first.file("ledger").display().to_string()]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("refused 10 (stored nevertheless: 0)"),
        "{text}"
    );
}

#[test]
fn a_refused_write_is_found_behind_the_same_row_of_an_earlier_run() {
    let row = |id: &str, created_at: &str| {
        serde_json::json!({
            "id": id, "name": "A", "dob": "1990-01-01", "fight_skills": ["Judo"],
            "created_at": created_at,
        })
    };
    let rows = [
        row(
            "00000000-0000-4000-8000-000000000001",
            "2000-01-01T00:00:00Z",
        ),
        row(
            "00000000-0000-4000-8000-000000000002",
            "2024-01-01T00:00:00Z",
        ),
    ];
    let (scratch, server) = (Scratch::new(), Contract::holding(&rows, Faults::default()));
    let ledger = scratch.0.join("refused.ledger");
    let lines = [
        &format!(
            r#"{{"ledger":1,"run":"r","target":"{}","started_at":1700000000,"count_before":1}}"#,
            server.url()
        ),
        r#"{"sent":0,"body":{"name":"A","dob":"1990-01-01","fight_skills":["Judo"]}}"#,
        r#"{"answer":0,"status":503}"#,
    ];
    std::fs::write(&ledger, lines.join("\n") + "\n").expect("written");
    let (code, text) = scratch.load(&["verify", &ledger.display().to_string()]);
    assert_eq!(code, 5, "{text}");
    assert!(
        text.contains("is row 00000000-0000-4000-8000-000000000002"),
        "{text}"
    );
}

#[test]
fn a_tampered_table_is_5_and_each_tampered_row_is_named() {
    let server = PathBuf::from(env!("CARGO_BIN_EXE_warrior-load")).with_file_name("warrior-api");
    let cluster = Cluster::create(&Programs::of_machine(&server)).expect("PostgreSQL starts");
    let access = cluster.superuser("postgres");
    let mut client = access.connect().expect("login as superuser");
    let connection = access.connection;
    let password = access
        .password_file
        .expect("the stack keeps passwords in files");
    let password = password.display().to_string();
    client
        .batch_execute(include_str!("tampered/rows.sql"))
        .expect("the table is made and filled");
    let scratch = Scratch::new();
    let ledger = scratch.0.join("of-the-run.ledger");
    std::fs::write(&ledger, include_str!("tampered/run.ledger")).expect("written");
    let ledger = ledger.display().to_string();
    let verify = || {
        scratch.load(&[
            "verify",
            &ledger,
            "--postgres",
            &connection,
            "--postgres-password-file",
            &password,
        ])
    };
    let (code, text) = verify();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("lost 0 of 3"), "{text}");
    // A large table, which takes longer to read than the role lets a request wait.
    client
        .batch_execute(
            "alter role postgres set statement_timeout = '1s';
             alter table warrior rename to kept;
             create view warrior as select kept.* from (select pg_sleep(1.5)) as slow, kept",
        )
        .expect("the table is slow");
    let (code, text) = verify();
    assert_eq!(code, 0, "{text}");
    client
        .batch_execute("drop view warrior; alter table kept rename to warrior")
        .expect("the table is quick again");
    client
        .batch_execute(include_str!("tampered/tamper.sql"))
        .expect("tampered");
    let (code, text) = verify();
    assert_eq!(code, 5, "{text}");
    for finding in [
        "LOST: request 0 was 201, /warrior/00000000-0000-4000-8000-000000000000",
        "row 00000000-0000-4000-8000-000000000001 differs from request 1 in dob",
        "row 00000000-0000-4000-8000-000000000002 differs from request 2 in fight_skills",
        "request 3 was refused (503) but is row",
        "request 4 was rejected (422) but is row",
    ] {
        assert!(text.contains(finding), "{finding} in {text}");
    }
}
