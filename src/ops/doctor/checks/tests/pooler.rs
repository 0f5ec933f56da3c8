//! Judgement of a pooler.

use super::super::super::evidence::Console;
use super::super::notes;
use super::{after, console, sound};

fn after_console(change: impl FnOnce(&mut Console)) -> Vec<&'static str> {
    let mut changed = console();
    change(&mut changed);
    after(|evidence| evidence.console = Some(Ok(changed)))
}

fn set(console: &mut Console, name: &str, value: &str) {
    console.config.retain(|(key, _)| key != name);
    console.config.push((name.to_owned(), value.to_owned()));
}

#[test]
fn a_pooler_is_judged_by_its_console() {
    type Change = fn(&mut Console);
    let cases: [(Change, &str); 9] = [
        (|c| c.pool_size = Some(2), "pool-too-small"),
        (|c| c.database_max = Some(4), "pool-too-small"),
        (|c| set(c, "max_client_conn", "7"), "pooler-clients"),
        (|c| c.pool_mode = Some("session".to_owned()), "pooler-mode"),
        (|c| set(c, "query_wait_timeout", "0"), "pooler-timeout"),
        (
            |c| set(c, "max_prepared_statements", "0"),
            "statements-unnamed",
        ),
        (|c| set(c, "auth_type", "any"), "pooler-open"),
        (|c| set(c, "listen_addr", "*"), "pooler-version"),
        (|c| (c.clients_waiting, c.waits) = (3, 0.8), "pooler-wait"),
    ];
    for (change, name) in cases {
        assert_eq!(after_console(change), [name]);
    }
    assert_eq!(
        after_console(|c| c.stopped = Some("resume")),
        ["pooler-paused"]
    );
    let hidden = after(|e| {
        e.serving.refused = Some(("silent".to_owned(), "look".to_owned()));
        e.serving.silent = true;
    });
    assert_eq!(hidden, ["pooler-paused"]);
    // 1.18 has no such setting, and a version without known faults may listen anywhere.
    let none = after_console(|c| {
        c.config.retain(|(key, _)| key != "max_prepared_statements");
        set(c, "listen_addr", "*");
        c.version = "PgBouncer 1.26.1".to_owned();
    });
    assert_eq!(none, [""; 0]);
}

#[test]
fn faults_of_a_version_on_loopback_are_a_note() {
    let told = notes(&sound());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("CVE-2026-107350") && told[0].contains("loopback"),
        "{told:?}"
    );
}
