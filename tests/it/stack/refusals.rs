//! Obstacles at the start: each is one sentence.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::unistd::geteuid;
use warrior_stack::DATABASE;

use super::{ask, start_in};
use crate::program::refusal;
use crate::supervisor::{Scratch, Supervisor, stack};

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
fn a_pool_without_a_connection_names_its_variable_and_its_range() {
    let mut none = stack();
    none.arg("--ephemeral")
        .env("PGBOUNCER_DEFAULT_POOL_SIZE", "0");
    assert_refused(
        &mut none,
        &["PGBOUNCER_DEFAULT_POOL_SIZE is 0", "1 to 10000"],
    );
}

/// As under `nohup`.
#[test]
fn a_stack_that_nobody_commands_says_what_to_run() {
    let said = refusal(stack().arg("--ephemeral"));
    assert!(said.contains("standard input has ended"), "{said}");
    assert!(said.contains("warrior-api up"), "{said}");
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
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    assert_refused(stack().arg("--data").arg(&other), &["photos", "DATA_DIR"]);
    assert_eq!(
        fs::metadata(&other).unwrap().permissions().mode() & 0o777,
        0o755
    );
    let long = scratch.join(["long"; 60].join("/").replace("long", "a-rather-long-name"));
    assert_refused(
        stack().arg("--data").arg(&long),
        &["bytes long", "DATA_DIR"],
    );
}

/// The start must fail, say every one of `facts`, and leave nothing running in the folder.
pub(super) fn assert_refused(command: &mut std::process::Command, facts: &[&str]) {
    let Err(said) = Supervisor::start(command) else {
        panic!("it started, but should have refused: {facts:?}");
    };
    for fact in facts {
        assert!(said.contains(fact), "{fact:?} is missing from: {said}");
    }
}

fn script(path: &Path, body: &str) {
    let mut file = fs::File::create(path).unwrap();
    writeln!(file, "#!/bin/sh\n{body}").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
