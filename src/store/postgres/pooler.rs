//! Checks on PgBouncer's console, where it lets us in: known faults of its version, its pooling mode, and its sizes.

use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::login::{login, time_to_ask};
use crate::config::Database;

/// The database that is PgBouncer itself.
pub(crate) const CONSOLE: &str = "pgbouncer";

type Version = (u32, u32, u32);

/// Faults that a client can use, with the first and the last version that have them.
const FAULTS: [(Version, Version, &str); 3] = [
    (
        (1, 17, 0),
        (1, 26, 0),
        "CVE-2026-107350 (a client may log in as another user)",
    ),
    (
        (0, 0, 0),
        (1, 25, 1),
        "CVE-2026-6664 (a crash without a password)",
    ),
    (
        (0, 0, 0),
        (1, 25, 1),
        "CVE-2026-6665, -6666 and -6667 (a malicious server, KILL_CLIENT)",
    ),
];
/// Versions that spin for a client without a password which sends `options`, unless it is ignored.
const SPINS: (Version, Version) = ((1, 20, 0), (1, 26, 0));

/// The faults, the pooling mode and the sizes of the pooler at `console`, which serves `dbname` to a server with `connections`
/// connections. Nothing where there is no console.
pub fn shortcomings(console: &Database, dbname: &str, connections: usize) -> Vec<String> {
    let until = time_to_ask(console);
    let Ok(login) = login(console) else {
        return Vec::new();
    };
    let mut client = login.until(until);
    let Ok(version) = show(&mut client, "show version") else {
        return Vec::new();
    };
    let version = version.first().and_then(|row| parse(row.try_get(0).ok()??));
    let config = show(&mut client, "show config").unwrap_or_default();
    let setting = |key: &str| {
        let row = config.iter().find(|row| column(row, "key") == Some(key));
        row.and_then(|row| column(row, "value"))
    };
    let ignored = setting("ignore_startup_parameters").unwrap_or_default();
    let mut found: Vec<String> = version
        .and_then(|version| faults(version, ignored))
        .into_iter()
        .collect();
    let databases = show(&mut client, "show databases").unwrap_or_default();
    let own = databases
        .iter()
        .find(|row| column(row, "name") == Some(dbname));
    let mode = (own.and_then(|row| column(row, "pool_mode"))).or(setting("pool_mode"));
    if mode == Some("statement") {
        found.push(
            "PgBouncer's pool_mode is statement, which lends no transactions: the search indexes are never flushed, and \
             nothing that another client leaves on a connection is undone; set pool_mode = transaction in pgbouncer.ini"
                .to_owned(),
        );
    }
    let sizes = [
        (
            "default_pool_size",
            (own.and_then(|row| column(row, "pool_size"))).or(setting("default_pool_size")),
        ),
        ("max_client_conn", setting("max_client_conn")),
    ];
    for (name, size) in sizes {
        let size: Option<usize> = size.and_then(|size| size.parse().ok());
        if let Some(size) = size.filter(|size| *size < connections) {
            found.push(format!(
                "PgBouncer's {name} is {size}, and this server may use {connections} connections: requests \
                 wait there for each other; set {name} = {connections} or more in pgbouncer.ini, or lower \
                 WORKERS"
            ));
        }
    }
    found
}

/// The known faults of the version that `SHOW VERSION` has told, as [`faults`] says them.
pub(crate) fn known_faults(told: &str, ignored: &str) -> Option<String> {
    faults(parse(told)?, ignored)
}

/// The faults of a version, and what to do.
fn faults(version: Version, ignored: &str) -> Option<String> {
    let (major, minor, patch) = version;
    let mut known: Vec<&str> = (FAULTS.iter())
        .filter(|(first, last, _)| (*first..=*last).contains(&version))
        .map(|(_, _, name)| *name)
        .collect();
    let lists_options = ignored.split(',').any(|word| word.trim() == "options");
    if (SPINS.0..=SPINS.1).contains(&version) && !ignored.is_empty() && !lists_options {
        known.push(
            "CVE-2026-107349 (a client without a password makes it spin; closed by `options` in \
             ignore_startup_parameters)",
        );
    }
    if known.is_empty() {
        return None;
    }
    Some(format!(
        "PgBouncer {major}.{minor}.{patch} has known faults unless its package repairs them: {}; install \
         1.26.1 or newer, and let nobody but this server reach its port",
        known.join(", ")
    ))
}

/// Reads `PgBouncer 1.18.0`.
fn parse(text: &str) -> Option<Version> {
    let word = text
        .split_whitespace()
        .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    Some((next()?, next()?, next().unwrap_or(0)))
}

pub(super) fn column<'r>(row: &'r SimpleQueryRow, name: &str) -> Option<&'r str> {
    row.try_get(name).ok().flatten()
}

/// The console speaks the simple protocol alone.
pub(super) fn show(client: &mut Client, sql: &str) -> Result<Vec<SimpleQueryRow>, postgres::Error> {
    let messages = client.simple_query(sql)?.into_iter();
    Ok(messages
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_console_writes_them() {
        assert_eq!(parse("PgBouncer 1.18.0"), Some((1, 18, 0)));
        assert_eq!(parse("PgBouncer 1.26.1-dev"), Some((1, 26, 1)));
        assert_eq!(parse("Odyssey"), None);
    }

    #[test]
    fn faults_belong_to_versions_and_one_to_a_setting() {
        let names = |version, ignored| faults(version, ignored).unwrap_or_default();
        for version in [(1, 18, 0), (1, 24, 1), (1, 26, 0)] {
            assert!(
                names(version, "").contains("CVE-2026-107350"),
                "{version:?}"
            );
        }
        assert!(names((1, 25, 1), "").contains("CVE-2026-6664"));
        assert!(!names((1, 25, 2), "").contains("CVE-2026-6664"));
        assert!(names((1, 24, 1), "extra_float_digits").contains("CVE-2026-107349"));
        for (version, ignored) in [
            ((1, 24, 1), "extra_float_digits, options"),
            ((1, 24, 1), ""),
            ((1, 18, 0), "extra_float_digits"),
        ] {
            assert!(
                !names(version, ignored).contains("CVE-2026-107349"),
                "{version:?}"
            );
        }
        assert_eq!(faults((1, 26, 1), "extra_float_digits"), None);
    }
}
