//! Faults of PostgreSQL: its processes, its locks, its connections and its passwords.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use postgres::Client;
use warrior_stack::proc::children;
use warrior_stack::{DATABASE, SecretSource};

use super::probe;
use super::scene::Scene;
use crate::database::DatabaseAccess;
use crate::stack::access;

/// Pause between two backends that are terminated.
const TERMINATE_INTERVAL: Duration = Duration::from_millis(100);
/// More connections than any `max_connections` of a stack.
const CONNECTIONS_MAX: usize = 2_000;

const TERMINATE_ONE: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
                             where usename = 'warrior' order by random() limit 1";
const TERMINATE_ALL: &str =
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warrior'";
const ANY_BACKEND: &str = "select pid from pg_stat_activity where usename = 'warrior' \
                           order by state_change desc limit 1";

/// A1: backends of the serving role are terminated, ten a second.
pub(super) fn backends_terminated(scene: &mut Scene) -> anyhow::Result<()> {
    let mut admin = scene.superuser()?;
    let until = Instant::now() + scene.seconds(3.0, 60.0);
    while Instant::now() < until {
        admin.simple_query(TERMINATE_ONE)?;
        thread::sleep(TERMINATE_INTERVAL);
    }
    Ok(())
}

/// A2: a backend is killed, whereupon PostgreSQL ends all and recovers.
pub(super) fn backend_killed(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        let pid = a_backend(scene)?;
        scene.signal(pid, Signal::SIGKILL)?;
        scene.wait_for_end(&[pid])?;
        accepts(scene)?;
        scene.heals();
    }
    Ok(())
}

/// A3: the postmaster is killed, and what it started ends by itself.
pub(super) fn postmaster_killed(scene: &mut Scene) -> anyhow::Result<()> {
    postmaster_ended(scene, Signal::SIGKILL, scene.length.of(2, 10))
}

/// A3: an immediate shutdown, which leaves the recovery to the next start.
pub(super) fn stopped_immediately(scene: &mut Scene) -> anyhow::Result<()> {
    postmaster_ended(scene, Signal::SIGQUIT, scene.length.of(1, 10))
}

/// A3: a fast shutdown, with a checkpoint.
pub(super) fn stopped_fast(scene: &mut Scene) -> anyhow::Result<()> {
    postmaster_ended(scene, Signal::SIGINT, scene.length.of(1, 10))
}

fn postmaster_ended(scene: &mut Scene, signal: Signal, times: u32) -> anyhow::Result<()> {
    for _ in 0..times {
        let postmaster = scene.endpoints().postgres.pid;
        let mut all = children(postmaster);
        all.push(postmaster);
        scene.signal(postmaster, signal)?;
        scene.wait_for_end(&all)?;
        scene.cluster.start()?;
        scene.heals();
    }
    Ok(())
}

/// A5: the table is locked against everybody.
pub(super) fn table_locked(scene: &mut Scene) -> anyhow::Result<()> {
    let mut admin = scene.superuser()?;
    let mut transaction = admin.transaction()?;
    transaction.batch_execute("lock table warrior in access exclusive mode")?;
    thread::sleep(scene.seconds(4.0, 20.0));
    transaction.rollback()?;
    Ok(())
}

/// A6: a backend is stopped in the middle of its work, and goes on when its create was repeated.
pub(super) fn backend_stopped(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        let pid = a_backend(scene)?;
        scene.signal(pid, Signal::SIGSTOP)?;
        thread::sleep(scene.seconds(4.0, 6.0));
        scene.signal(pid, Signal::SIGCONT)?;
        scene.heals();
    }
    Ok(())
}

/// A10: other sessions use up `max_connections`. What is connected goes on; then the pooler has to log in anew, and cannot.
pub(super) fn connections_used_up(scene: &mut Scene) -> anyhow::Result<()> {
    let owner = access(&scene.endpoints().owner(DATABASE));
    let target = scene.target.clone();
    let mut admin = scene.superuser()?;
    let mut taken = Vec::new();
    take_all(&owner, &mut taken)?;
    thread::sleep(scene.seconds(1.0, 5.0));
    scene.wait_until("the pooler finds no connection", |_| {
        // The places that this frees are taken by whoever is quicker.
        admin.simple_query(TERMINATE_ALL)?;
        take_all(&owner, &mut taken)?;
        let created = probe::create(&target, &probe::warrior(), None)?;
        Ok(created.status == 503)
    })?;
    thread::sleep(scene.seconds(3.0, 10.0));
    drop(taken);
    Ok(())
}

/// Connects until PostgreSQL is full.
fn take_all(owner: &DatabaseAccess, taken: &mut Vec<Client>) -> anyhow::Result<()> {
    while taken.len() < CONNECTIONS_MAX {
        match owner.connect() {
            Ok(client) => taken.push(client),
            Err(_full) => return Ok(()),
        }
    }
    bail!("{CONNECTIONS_MAX} connections do not use up max_connections")
}

/// A10: the password of the serving role is changed, in PostgreSQL, in PgBouncer's list and in the file; all logins are
/// then made anew.
pub(super) fn password_changed(scene: &mut Scene) -> anyhow::Result<()> {
    let runtime = scene.endpoints().runtime(DATABASE);
    let Some(SecretSource::File(file)) = runtime.password else {
        bail!(
            "the stack keeps the password of {} in no file",
            runtime.user
        );
    };
    for _ in 0..scene.length.of(1, 5) {
        let mut admin = scene.superuser()?;
        let password = uuid::Uuid::new_v4().simple().to_string();
        // ALTER ROLE takes no parameters; the password is hexadecimal.
        admin.batch_execute(&format!("alter role warrior password '{password}'"))?;
        let secret = "select rolpassword from pg_authid where rolname = 'warrior'";
        let secret: String = admin.query_one(secret, &[])?.get(0);
        let list = warrior_stack::layout::pooler_ini(&scene.endpoints().data)
            .with_file_name("userlist.txt");
        let users = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
        let changed = users
            .lines()
            .map(|line| match line.starts_with("\"warrior\" ") {
                true => format!("\"warrior\" \"{secret}\"\n"),
                false => format!("{line}\n"),
            });
        fs::write(&list, changed.collect::<String>())?;
        fs::write(&file, &password)?;
        scene.console("reload")?;
        thread::sleep(scene.seconds(1.0, 3.0));
        scene.console(&format!("kill {DATABASE}"))?;
        scene.console(&format!("resume {DATABASE}"))?;
        scene.heals();
    }
    Ok(())
}

/// A backend of the serving role, which has just done something.
fn a_backend(scene: &mut Scene) -> anyhow::Result<u32> {
    let mut found = None;
    scene.wait_until("a backend serves", |scene| {
        let mut admin = scene.superuser()?;
        let row = admin.query_opt(ANY_BACKEND, &[])?;
        found = row.map(|row| row.get::<_, i32>(0));
        Ok(found.is_some())
    })?;
    Ok(u32::try_from(found.context("no backend")?)?)
}

/// Waits until PostgreSQL accepts connections again.
pub(super) fn accepts(scene: &mut Scene) -> anyhow::Result<()> {
    scene.wait_until("PostgreSQL accepts connections", |scene| {
        Ok(scene.superuser().is_ok())
    })
}
