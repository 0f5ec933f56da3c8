//! The embedded stack: it starts, keeps its data, recovers from kills, refuses with one clear
//! sentence, and leaves nothing behind.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use postgres::SimpleQueryMessage;
use warrior_api::config::{Database, SecretSource};
use warrior_api::stack::{DATABASE, Endpoints, shipped};

use crate::supervisor::{
    Scratch, Supervisor, connect, connect_with, eventually, is_alive, kill_9, shared, stack,
};
use crate::support::empty_database;

#[test]
fn a_throw_away_stack_leaves_nothing_behind() {
    let stack = Supervisor::throw_away();
    let endpoints = stack.endpoints.clone();
    assert_eq!(
        ask(&endpoints.runtime(DATABASE), "select current_user"),
        "warrior"
    );
    assert_eq!(
        ask(&endpoints.owner(DATABASE), "select current_user"),
        "warrior_owner"
    );
    assert_eq!(
        ask(&endpoints.monitor(DATABASE), "select current_user"),
        "warrior_monitor"
    );
    assert!(stack.stop().success());
    assert_is_gone(&endpoints);
    assert!(!endpoints.data.exists());
}

#[test]
fn a_second_run_finds_the_data_and_the_passwords_of_the_first() {
    let scratch = Scratch::new();
    let first = start_in(&scratch.join("data"));
    make_note(&first.endpoints);
    let secrets = read_secrets(&first.endpoints.data);
    assert!(first.stop().success());
    let second = start_in(&scratch.join("data"));
    assert_note(&second.endpoints);
    assert_eq!(read_secrets(&second.endpoints.data), secrets);
}

#[test]
fn a_kill_of_all_three_processes_loses_nothing() {
    let scratch = Scratch::new();
    let first = start_in(&scratch.join("data"));
    make_note(&first.endpoints);
    kill_9(first.endpoints.pooler.pid);
    kill_9(first.endpoints.postgres.pid);
    kill_9(first.pid());
    first.wait();
    let second = start_in(&scratch.join("data"));
    assert_note(&second.endpoints);
}

#[test]
fn what_a_killed_run_left_running_is_stopped_by_the_next() {
    let scratch = Scratch::new();
    let first = start_in(&scratch.join("data"));
    let left = first.endpoints.clone();
    make_note(&left);
    kill_9(first.pid());
    first.wait();
    assert!(is_alive(left.postgres.pid) && is_alive(left.pooler.pid));
    let second = start_in(&scratch.join("data"));
    assert!(!is_alive(left.postgres.pid) && !is_alive(left.pooler.pid));
    assert_note(&second.endpoints);
}

#[test]
fn a_stale_pid_file_that_names_a_living_stranger_stops_nobody() {
    let scratch = Scratch::new();
    let first = start_in(&scratch.join("data"));
    let data = first.endpoints.data.clone();
    kill_9(first.endpoints.pooler.pid);
    kill_9(first.endpoints.postgres.pid);
    kill_9(first.pid());
    first.wait();
    // The id was used again, as happens in containers: by a process of the same user.
    let stranger = Supervisor::throw_away();
    let pid_file = data.join("pg/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    let rest: Vec<_> = text.lines().skip(1).collect();
    fs::write(
        &pid_file,
        format!("{}\n{}\n", stranger.pid(), rest.join("\n")),
    )
    .unwrap();
    fs::write(
        data.join("pgbouncer/pgbouncer.pid"),
        format!("{}\n", stranger.pid()),
    )
    .unwrap();
    drop(start_in(&scratch.join("data")));
    assert!(is_alive(stranger.pid()));
}

#[test]
fn an_abandoned_throw_away_stack_is_removed_by_the_next() {
    let first = Supervisor::throw_away();
    let left = first.endpoints.clone();
    kill_9(first.pid());
    first.wait();
    // Any throw-away stack that starts removes it, also one of a test that runs beside this one.
    drop(Supervisor::throw_away());
    eventually("the abandoned stack is gone", || {
        !left.data.exists() && !is_alive(left.postgres.pid) && !is_alive(left.pooler.pid)
    });
}

#[test]
fn each_part_starts_again_on_its_port() {
    let mut stack = Supervisor::throw_away();
    let before = stack.endpoints.clone();
    kill_9(before.pooler.pid);
    eventually("PgBouncer is dead", || !is_alive(before.pooler.pid));
    stack.command("start pooler");
    assert_eq!(ask(&stack.endpoints.runtime(DATABASE), "select 1"), "1");
    kill_9(before.postgres.pid);
    eventually("PostgreSQL is dead", || !is_alive(before.postgres.pid));
    stack.command("start postgres");
    stack.command("stop pooler");
    stack.command("stop postgres");
    assert!(connect(&stack.endpoints.superuser(DATABASE)).is_err());
    stack.command("start postgres");
    stack.command("start pooler");
    let after = &stack.endpoints;
    assert_eq!(
        (after.pooler.port, after.postgres.port),
        (before.pooler.port, before.postgres.port)
    );
    assert_ne!(
        (after.pooler.pid, after.postgres.pid),
        (before.pooler.pid, before.postgres.pid)
    );
    assert_eq!(ask(&after.runtime(DATABASE), "select 1"), "1");
}

#[test]
fn sigterm_stops_everything_in_order() {
    let stack = Supervisor::throw_away();
    let endpoints = stack.endpoints.clone();
    let pid = Pid::from_raw(stack.pid().try_into().unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(stack.wait().success());
    assert_is_gone(&endpoints);
    assert!(!endpoints.data.exists());
}

#[test]
fn a_port_in_use_names_the_port_and_its_variable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let scratch = Scratch::new();
    for variable in ["POSTGRES_PORT", "POSTGRES_DIRECT_PORT"] {
        let mut command = stack();
        command
            .arg("--data")
            .arg(scratch.join("data"))
            .env(variable, &port);
        assert_refused(&mut command, &[&port, variable]);
    }
}

#[test]
fn a_missing_program_names_the_command_that_installs_it() {
    let install = if cfg!(target_os = "macos") {
        "brew install"
    } else {
        "make install"
    };
    for (variable, name) in [("POSTGRES_BIN", "PostgreSQL"), ("PGBOUNCER", "PgBouncer")] {
        let mut command = stack();
        command.arg("--ephemeral").env(variable, "/nonexistent");
        assert_refused(&mut command, &[name, "/nonexistent", install]);
    }
}

#[test]
fn the_data_of_another_major_version_is_left_alone() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    drop(start_in(&data));
    fs::write(data.join("pg/PG_VERSION"), "14\n").unwrap();
    assert_refused(
        stack().arg("--data").arg(&data),
        &["PostgreSQL 14", "postgresql"],
    );
}

#[test]
fn an_unsupported_version_says_which_would_do() {
    let scratch = Scratch::new();
    script(&scratch.join("initdb"), "echo 'initdb (PostgreSQL) 14.9'");
    script(
        &scratch.join("postgres"),
        "echo 'postgres (PostgreSQL) 14.9'",
    );
    script(&scratch.join("pgbouncer"), "echo 'PgBouncer 1.16.1'");
    let mut old_postgres = stack();
    old_postgres
        .arg("--ephemeral")
        .env("POSTGRES_BIN", scratch.join(""));
    assert_refused(&mut old_postgres, &["14.9", "15 to 17"]);
    let mut old_pooler = stack();
    old_pooler
        .arg("--ephemeral")
        .env("PGBOUNCER", scratch.join("pgbouncer"));
    assert_refused(&mut old_pooler, &["1.16", "1.18"]);
}

#[test]
fn a_folder_in_use_names_its_user_and_stays_in_use() {
    let scratch = Scratch::new();
    let first = start_in(&scratch.join("data"));
    let holder = first.pid().to_string();
    assert_refused(
        stack().arg("--data").arg(scratch.join("data")),
        &["in use", &holder],
    );
    assert_eq!(ask(&first.endpoints.runtime(DATABASE), "select 1"), "1");
}

#[test]
fn a_folder_that_cannot_be_made_or_used_is_named() {
    let scratch = Scratch::new();
    fs::write(scratch.join("file"), "").unwrap();
    let below_a_file = scratch.join("file/data");
    assert_refused(
        stack().arg("--data").arg(&below_a_file),
        &["file", "DATA_DIR"],
    );
    if !geteuid().is_root() {
        let closed = scratch.join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        assert_refused(
            stack().arg("--data").arg(closed.join("data")),
            &["closed", "DATA_DIR"],
        );
    }
    let other = scratch.join("photos");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("holiday.jpg"), "").unwrap();
    assert_refused(stack().arg("--data").arg(&other), &["photos", "DATA_DIR"]);
    let long = scratch.join(["long"; 60].join("/").replace("long", "a-rather-long-name"));
    assert_refused(
        stack().arg("--data").arg(&long),
        &["bytes long", "DATA_DIR"],
    );
}

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
    // The owner has no business behind the pooler.
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
fn a_folder_of_root_alone_is_replaced_by_one_that_the_user_can_reach() {
    if !geteuid().is_root() {
        // Only root has somewhere to go from; others are refused, see above.
        return;
    }
    let scratch = Scratch::new();
    let closed = scratch.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let stack = start_in(&closed.join("data"));
    let data = stack.endpoints.data.clone();
    assert!(data.starts_with("/var/lib/warrior-api"), "{data:?}");
    drop(stack);
    let again = start_in(&closed.join("data"));
    assert_eq!(again.endpoints.data, data);
    drop(again);
    fs::remove_dir_all(data).unwrap();
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

fn start_in(data: &Path) -> Supervisor {
    Supervisor::start(stack().arg("--data").arg(data)).expect("the stack starts")
}

/// The start must fail, say every one of `facts`, and leave nothing running in the folder.
fn assert_refused(command: &mut std::process::Command, facts: &[&str]) {
    let Err(said) = Supervisor::start(command) else {
        panic!("it started, but should have refused: {facts:?}");
    };
    for fact in facts {
        assert!(said.contains(fact), "{fact:?} is missing from: {said}");
    }
}

fn assert_is_gone(endpoints: &Endpoints) {
    for instance in [endpoints.postgres, endpoints.pooler] {
        assert!(!is_alive(instance.pid), "{}", instance.pid);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, instance.port)).is_err());
    }
}

fn make_note(endpoints: &Endpoints) {
    connect(&endpoints.owner(DATABASE))
        .unwrap()
        .batch_execute("create table note as select 'still here' as text")
        .unwrap();
}

fn assert_note(endpoints: &Endpoints) {
    assert_eq!(
        ask(&endpoints.owner(DATABASE), "select text from note"),
        "still here"
    );
}

/// The first value of the first row.
fn ask(database: &Database, query: &str) -> String {
    let mut client = connect(database).unwrap_or_else(|e| panic!("{}: {e:?}", database.user));
    let messages = client
        .simple_query(query)
        .unwrap_or_else(|e| panic!("{query}: {e:?}"));
    messages
        .iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{query}: no row"))
}

fn read_secrets(data: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut paths: Vec<_> = fs::read_dir(data.join("secrets"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let secret = SecretSource::File(path.clone()).read().unwrap();
        secret.expose().to_owned()
    };
    paths
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

fn script(path: &Path, body: &str) {
    let mut file = fs::File::create(path).unwrap();
    writeln!(file, "#!/bin/sh\n{body}").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn keys(ini: &str) -> impl Iterator<Item = &str> {
    ini.lines()
        .filter(|line| !line.starts_with(';'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim())
}
