//! Access control, privilege dropping, and the settings in effect.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::unistd::Pid;
use postgres::SimpleQueryMessage;
use warrior_api::config::Database;
use warrior_stack::{DATABASE, shipped};

use super::{ask, read_secrets};
use crate::supervisor::{Supervisor, connect, connect_with, shared};
use crate::support::empty_database;

#[test]
fn a_wrong_password_is_refused_on_both_hops() {
    let endpoints = shared();
    for database in [
        endpoints.runtime(DATABASE),
        endpoints.runtime_direct(DATABASE),
    ] {
        assert!(connect(&database).is_ok());
        for wrong in ["wrong", "", "SCRAM-SHA-256"] {
            assert!(
                connect_with(&database, wrong).is_err(),
                "{}: {wrong:?}",
                database.port
            );
        }
    }
    // The owner connects directly alone.
    let owner = endpoints.owner(DATABASE);
    let port = endpoints.pooler.port;
    assert!(connect(&Database { port, ..owner }).is_err());
}

#[test]
fn nothing_but_scram_over_loopback_gets_in() {
    let superuser = shared().superuser(DATABASE);
    let rules = "select string_agg(type || ' ' || address || ' ' || auth_method, ', ')
                 from pg_hba_file_rules";
    assert_eq!(ask(&superuser, rules), "host 127.0.0.1 scram-sha-256");
    assert_eq!(ask(&superuser, "show unix_socket_directories"), "");
    assert_eq!(ask(&superuser, "show listen_addresses"), "127.0.0.1");
    let users = fs::read_to_string(shared().data.join("pgbouncer/userlist.txt")).unwrap();
    assert_eq!(users.lines().count(), 3);
    assert!(
        users
            .lines()
            .all(|line| line.contains("\" \"SCRAM-SHA-256$"))
    );
}

#[test]
fn the_console_is_for_monitoring_and_for_its_administrator() {
    let endpoints = shared();
    let version = ask(&endpoints.pooler_statistics(), "show version");
    assert!(
        version.contains(&endpoints.pooler.version.to_string()),
        "{version}"
    );
    assert_eq!(ask(&endpoints.pooler_admin(), "show version"), version);
    let mut monitor = connect(&endpoints.pooler_statistics()).unwrap();
    assert!(monitor.simple_query("pause nothing").is_err());
    assert!(connect(&endpoints.runtime("pgbouncer")).is_err());
}

#[test]
fn secrets_are_readable_by_their_owner_alone_and_appear_nowhere_else() {
    let endpoints = shared();
    let folder = endpoints.data.join("secrets");
    for path in [&endpoints.data, &folder] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o700);
    }
    let secrets = read_secrets(&endpoints.data);
    assert_eq!(secrets.len(), 6);
    let mut seen = Vec::new();
    for pid in [endpoints.postgres.pid, endpoints.pooler.pid] {
        for file in ["cmdline", "environ"] {
            // Absent on macOS.
            seen.extend(fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default());
        }
    }
    for log in ["postgresql.log", "pgbouncer.log"] {
        seen.extend(fs::read(endpoints.data.join("log").join(log)).unwrap());
    }
    for file in ["userlist.txt", "stack.ini", "pgbouncer.ini"] {
        seen.extend(fs::read(endpoints.data.join("pgbouncer").join(file)).unwrap());
    }
    let seen = String::from_utf8_lossy(&seen);
    for (name, secret) in secrets {
        assert!(
            secret.trim().len() >= 64 && !seen.contains(secret.trim()),
            "{name:?}"
        );
        assert_eq!(
            fs::metadata(&name).unwrap().mode() & 0o777,
            0o600,
            "{name:?}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_runs_as_root_and_ctrl_c_reaches_the_supervisor_alone() {
    let stack = Supervisor::throw_away();
    let children = [stack.endpoints.postgres.pid, stack.endpoints.pooler.pid];
    for pid in children.into_iter().chain([stack.pid()]) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let uids = status
            .lines()
            .find(|line| line.starts_with("Uid:"))
            .unwrap();
        assert!(
            uids.split_whitespace().skip(1).all(|uid| uid != "0"),
            "{uids}"
        );
    }
    for pid in children {
        let pid = Pid::from_raw(pid.try_into().unwrap());
        assert_eq!(nix::unistd::getpgid(Some(pid)).unwrap(), pid);
    }
}

#[test]
fn postgresql_keeps_its_promises_and_understands_its_file() {
    let superuser = shared().superuser(DATABASE);
    for setting in [
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "data_checksums",
    ] {
        assert_eq!(
            ask(&superuser, &format!("show {setting}")),
            "on",
            "{setting}"
        );
    }
    let wrong = "select count(*) from pg_file_settings where error is not null";
    assert_eq!(ask(&superuser, wrong), "0");
    let locale = "select datcollate || ' ' || pg_encoding_to_char(encoding) from pg_database
                  where datname = current_database()";
    assert!(ask(&superuser, locale).ends_with(" UTF8"));
    assert_eq!(ask(&superuser, "select lower('ÄÖ')"), "äö");
    for (setting, value) in [
        ("timezone", "UTC"),
        ("lc_messages", "C"),
        // Over TCP the socket reports these.
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
    ] {
        let shown = ask(&superuser, &format!("show {setting}"));
        assert_eq!(shown, value, "{setting}");
    }
}

#[test]
fn pgbouncer_takes_every_setting_of_its_file() {
    let mut console = connect(&shared().pooler_admin()).unwrap();
    let config = console.simple_query("show config").unwrap();
    let in_effect = |key: &str| {
        config.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.get("key") == Some(key) => row.get("value"),
            _ => None,
        })
    };
    for key in keys(shipped::PGBOUNCER_INI) {
        let wanted = match key {
            // The embedded stack is where these two may differ.
            "admin_users" => Some("pooler_admin"),
            _ => shipped::setting(shipped::PGBOUNCER_INI, key),
        };
        assert_eq!(in_effect(key), wanted, "{key}");
    }
}

#[test]
fn the_pooler_serves_every_database_of_the_cluster_and_keeps_them_apart() {
    let (one, other) = (empty_database(), empty_database());
    one.owner()
        .batch_execute(
            "create table note (text text);
             grant usage on schema public to warrior;
             grant select on note to warrior",
        )
        .unwrap();
    assert_eq!(ask(&one.pooled_login(), "select count(*) from note"), "0");
    assert!(other.pooled().simple_query("select from note").is_err());
    assert_eq!(
        ask(&other.pooled_login(), "select current_database()"),
        other.name()
    );
}

fn keys(ini: &str) -> impl Iterator<Item = &str> {
    ini.lines()
        .filter(|line| !line.starts_with(';'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim())
}
