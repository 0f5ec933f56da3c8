//! Judgement of PostgreSQL's figures and sessions.

use super::super::super::evidence::{Database, Prepared, Transaction};
use super::super::judge;
use super::{after, database, place, sound};

fn prepared(gid: &str, age: f64) -> Prepared {
    Prepared {
        gid: gid.to_owned(),
        role: "somebody".to_owned(),
        age,
    }
}

fn after_database(change: impl FnOnce(&mut Database)) -> Vec<&'static str> {
    let mut changed = database();
    change(&mut changed);
    after(|evidence| evidence.database = Ok(changed))
}

#[test]
fn postgresql_is_judged_by_its_figures() {
    type Change = fn(&mut Database);
    let cases: [(Change, &str); 15] = [
        (|d| d.fsync = false, "durability-off"),
        (|d| d.full_page_writes = false, "durability-off"),
        (|d| d.autovacuum = false, "autovacuum-off"),
        (|d| d.max_connections = 20, "connections-too-few"),
        (|d| d.connection_limit = 40, "connections-too-few"),
        (|d| d.connections = 190, "connections-nearly-used"),
        (|d| d.age = 1_900_000_000, "wraparound"),
        (
            |d| (d.blocks_hit, d.blocks_read) = (800_000, 200_000),
            "cache-hits",
        ),
        (|d| d.pending_bytes = Some(40 << 20), "pending-lists"),
        (
            |d| d.collation = (Some("2.36".to_owned()), Some("2.41".to_owned())),
            "collation-version",
        ),
        (|d| (d.ahead, d.took) = (-7.0, 0.1), "clock-skew"),
        (
            |d| d.prepared = vec![prepared("two", 3600.0)],
            "prepared-transaction",
        ),
        (|d| d.table.as_mut().unwrap().dead = 600_000, "dead-rows"),
        (
            |d| d.table.as_mut().unwrap().changed = 600_000,
            "statistics",
        ),
        (|d| d.table.as_mut().unwrap().analyzed = false, "statistics"),
    ];
    for (change, name) in cases {
        assert_eq!(after_database(change), [name]);
    }
    let sound: [Change; 5] = [
        |d| d.prepared = vec![prepared("two", 2.0)],
        |d| (d.blocks_hit, d.blocks_read) = (10, 90),
        |d| (d.ahead, d.took) = (3.0, 4.0),
        |d| d.collation = (None, None),
        |d| d.table = None,
    ];
    for change in sound {
        assert_eq!(after_database(change), [""; 0]);
    }
}

#[test]
fn sessions_are_judged_by_what_they_hold_up() {
    let transaction = |pid, idle, open, since| Transaction {
        pid,
        idle,
        open,
        since,
        role: "somebody".to_owned(),
        ..Transaction::default()
    };
    let found = after_database(|d| d.transactions = vec![transaction(1, true, 60.0, 30.0)]);
    assert_eq!(found, ["idle-transaction"]);
    let found = after_database(|d| d.transactions = vec![transaction(1, false, 900.0, 1.0)]);
    assert_eq!(found, ["long-transaction"]);
    let found = after_database(|d| d.transactions = vec![transaction(1, true, 2.0, 1.0)]);
    assert_eq!(found, [""; 0]);
    // A queue: 3 waits for 2, and 2 for 1, which alone is to be ended.
    let waits = |pid, blocker| Transaction {
        waits: 4.0,
        blockers: vec![blocker],
        ..transaction(pid, false, 5.0, 5.0)
    };
    let queue = vec![transaction(1, false, 6.0, 6.0), waits(2, 1), waits(3, 2)];
    let mut evidence = sound();
    evidence.database = Ok(Database {
        transactions: queue,
        ..database()
    });
    let findings = judge(&evidence, &place());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].mend.contains("pg_terminate_backend(1)"),
        "{findings:?}"
    );
}

#[test]
fn who_may_come_back_is_looked_for_first() {
    let mut evidence = sound();
    evidence.database = Ok(Database {
        slots: vec![("left_over".to_owned(), "2 GB".to_owned())],
        prepared: vec![prepared("it's; drop\u{1b}", 3600.0)],
        ..database()
    });
    let findings = judge(&evidence, &place());
    assert_eq!(findings.len(), 2, "{findings:?}");
    for (finding, look, last) in [
        (
            &findings[0],
            "pg_replication_slots",
            "pg_drop_replication_slot",
        ),
        (&findings[1], "pg_prepared_xacts", "rollback prepared"),
    ] {
        let (look, last) = (finding.mend.find(look), finding.mend.find(last));
        assert!(look.is_some() && look < last, "{finding:?}");
    }
    // Its name is a constant of SQL, and no terminal obeys it.
    let mend = &findings[1].mend;
    assert!(!mend.contains('\u{1b}') && mend.contains("u001B"), "{mend}");
    assert!(
        mend.contains("prepared E") && !mend.contains("it's;"),
        "{mend}"
    );
}

#[test]
fn a_lock_without_a_process_is_that_of_a_prepared_transaction() {
    let mut evidence = sound();
    evidence.database = Ok(Database {
        transactions: vec![Transaction {
            pid: 7,
            open: 5.0,
            waits: 4.0,
            blockers: vec![0],
            prepared: vec!["two".to_owned()],
            ..Transaction::default()
        }],
        ..database()
    });
    let findings = judge(&evidence, &place());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].seen.contains("prepared transaction two"),
        "{findings:?}"
    );
    assert!(
        !findings[0].mend.contains("pg_terminate_backend"),
        "{findings:?}"
    );
    assert!(
        findings[0].mend.contains("commit prepared 'two'"),
        "{findings:?}"
    );
}
