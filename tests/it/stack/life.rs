//! Start, crash recovery, shutdown.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use uuid::Uuid;
use warrior_stack::{DATABASE, Endpoints, layout};

use super::{ask, read_secrets, start_in};
use crate::supervisor::{Scratch, Supervisor, connect, eventually, is_alive, kill_9, stack};

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
    let pid_file = layout::postmaster_pid(&data);
    let text = fs::read_to_string(&pid_file).unwrap();
    let rest: Vec<_> = text.lines().skip(1).collect();
    fs::write(
        &pid_file,
        format!("{}\n{}\n", stranger.pid(), rest.join("\n")),
    )
    .unwrap();
    fs::write(layout::pooler_pid(&data), format!("{}\n", stranger.pid())).unwrap();
    drop(start_in(&scratch.join("data")));
    assert!(is_alive(stranger.pid()));
}

#[test]
fn an_abandoned_throw_away_stack_is_removed_by_the_next() {
    let first = Supervisor::throw_away();
    let left = first.endpoints.clone();
    kill_9(first.pid());
    first.wait();
    // Any throw-away stack that starts removes the folder, also one of a test that runs beside this one.
    drop(Supervisor::throw_away());
    eventually("the abandoned stack is gone", || {
        !left.data.exists() && !is_alive(left.postgres.pid) && !is_alive(left.pooler.pid)
    });
}

#[test]
fn a_kept_stack_among_temporary_files_is_not_taken_for_an_abandoned_one() {
    let name = format!("warrior-api-{}", Uuid::new_v4().simple());
    let kept = std::env::temp_dir().join(name);
    drop(start_in(&kept));
    drop(Supervisor::throw_away());
    assert!(layout::cluster(&kept).join("PG_VERSION").exists());
    fs::remove_dir_all(kept).unwrap();
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
fn a_part_that_hangs_is_replaced() {
    let mut stack = Supervisor::throw_away();
    let hung = stack.endpoints.pooler.pid;
    kill(Pid::from_raw(hung.try_into().unwrap()), Signal::SIGSTOP).unwrap();
    stack.command("start pooler");
    assert!(!is_alive(hung));
    assert_eq!(ask(&stack.endpoints.runtime(DATABASE), "select 1"), "1");
}

#[test]
fn a_lost_password_of_the_superuser_is_told_and_not_made_up() {
    let scratch = Scratch::new();
    drop(start_in(&scratch.join("data")));
    fs::remove_file(scratch.join("data/secrets/superuser.password")).unwrap();
    fs::remove_file(scratch.join("data/secrets/warrior.password")).unwrap();
    super::refusals::assert_refused(
        stack().arg("--data").arg(scratch.join("data")),
        &["superuser.password"],
    );
    // PostgreSQL can set the others, so a lost one is made anew.
    assert!(scratch.join("data/secrets/warrior.password").exists());
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
fn signals_that_come_again_do_not_cut_the_stop_short() {
    for is_kept in [true, false] {
        let scratch = Scratch::new();
        let stack = match is_kept {
            true => start_in(&scratch.join("data")),
            false => Supervisor::throw_away(),
        };
        let endpoints = stack.endpoints.clone();
        let pid = Pid::from_raw(stack.pid().try_into().unwrap());
        eventually("the stack has ended", || {
            kill(pid, Signal::SIGINT).unwrap();
            !is_alive(stack.pid())
        });
        assert!(stack.wait().success());
        assert_is_gone(&endpoints);
        assert_eq!(endpoints.data.exists(), is_kept);
    }
}

#[test]
fn a_folder_of_root_alone_is_replaced_by_one_that_the_user_can_reach() {
    if !geteuid().is_root() {
        // Only root can move the data; other users are refused, see above.
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
