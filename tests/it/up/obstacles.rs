//! Temporary obstacles to a restart, and stops meanwhile.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_stack::{DATABASE, layout};

use super::{Up, first_line, program_of, up};
use crate::supervisor::{
    Scratch, Supervisor, connect, eventually, is_alive, kill_9, shared, stack,
};

/// An event trigger that blocks schema changes, and says so in a file.
const SLEEPS: &str = "create function sleeps() returns event_trigger security definer language plpgsql as $$
                      begin
                          execute format('copy (select 1) to %L', current_setting('data_directory') || '/asleep');
                          perform pg_sleep(600);
                      end $$;
                      create event trigger sleeps on ddl_command_start when tag in ('CREATE TABLE') execute function sleeps()";

#[test]
fn a_full_disk_and_a_closed_folder_are_waited_for() {
    let up = Up::start();
    up.serves();
    let pg = layout::cluster(up.data());
    // A file that PostgreSQL writes at each start, on a disk that is always full.
    let options = pg.join("postmaster.opts");
    up.await_line(&["No space left on device", "attempt 2 failed"], || {
        fs::remove_file(&options).unwrap();
        symlink("/dev/full", &options).unwrap();
        kill_9(up.postgres());
    });
    fs::remove_file(&options).unwrap();
    up.serves();

    up.await_line(&["permissions", "attempt 1 failed"], || {
        fs::set_permissions(&pg, Permissions::from_mode(0o755)).unwrap();
        kill_9(up.postgres());
    });
    fs::set_permissions(&pg, Permissions::from_mode(0o700)).unwrap();
    up.serves();

    // Neither a log that cannot be written nor a changed file may prevent the restart.
    fs::write(layout::pooler_ini(up.data()), "[nothing]").unwrap();
    let log = layout::pooler_log(up.data());
    fs::remove_file(&log).unwrap();
    symlink("/dev/full", &log).unwrap();
    up.await_line(&["PgBouncer runs again"], || kill_9(up.pooler()));
    up.serves();
    up.stop();
}

#[test]
fn a_port_that_is_taken_for_a_while_is_waited_for() {
    let up = Up::start();
    let endpoints = &up.announced.running;
    for (name, pid, port) in [
        ("PgBouncer", up.pooler(), endpoints.pooler.port),
        ("PostgreSQL", up.postgres(), endpoints.postgres.port),
    ] {
        // The server sleeps, so that the port is taken before the restart.
        up.signal(Signal::SIGSTOP);
        kill_9(pid);
        let mut taken = None;
        up.eventually("the port is free", || {
            taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
            taken.is_some()
        });
        up.await_line(&[name, "attempt 2 failed"], || up.signal(Signal::SIGCONT));
        drop(taken);
        up.serves();
    }
    up.stop();
}

#[test]
fn postgresql_that_was_restarted_by_another_program_is_taken_over() {
    let up = Up::start();
    up.serves();
    let old = up.postgres();
    let pg_ctl = program_of(old).with_file_name("pg_ctl");
    let owner = fs::metadata(up.data()).unwrap();
    up.signal(Signal::SIGSTOP);
    let restarted = Command::new(pg_ctl)
        .args(["restart", "--wait", "--mode=fast", "--pgdata"])
        .arg(layout::cluster(up.data()))
        .uid(owner.uid())
        .gid(owner.gid())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let facts = ["was started by another program"];
    up.await_line(&facts, || up.signal(Signal::SIGCONT));
    assert!(restarted.success());
    let new = up.postgres();
    assert_ne!(old, new);
    up.serves();
    assert_eq!(up.postgres(), new);
    // An adopted PostgreSQL is restarted like a child.
    kill_9(new);
    up.eventually("PostgreSQL is another", || up.postgres() != new);
    up.serves();
    up.stop();
}

#[test]
fn a_stop_is_heard_while_a_child_does_not_start() {
    for by_signal in [true, false] {
        let scratch = Scratch::new();
        let bin = hanging_postgres(&scratch);
        let mut up = Up::start_with(scratch, |command| {
            command.env("POSTGRES_BIN", bin);
        });
        let pg = layout::cluster(up.data());
        fs::write(pg.join("hang"), "").unwrap();
        let pooler = up.pooler();
        kill_9(up.postgres());
        let hung = first_line(&pg.join("hung"));
        if by_signal {
            up.signal(Signal::SIGTERM);
        } else {
            drop(up.input.take());
        }
        assert!(up.wait().success(), "{:?}", up.lines());
        assert!(!is_alive(hung) && !is_alive(pooler));
    }
}

/// The schema of a large table takes minutes to index.
#[test]
fn a_stop_is_heard_while_the_schema_is_applied() {
    let scratch = Scratch::new();
    let data = scratch.join("data");
    let stack = Supervisor::start(stack().arg("--data").arg(&data)).unwrap();
    let mut superuser = connect(&stack.endpoints.superuser(DATABASE)).unwrap();
    superuser.batch_execute(SLEEPS).unwrap();
    drop(superuser);
    assert!(stack.stop().success());

    let mut child = up(&data).spawn().unwrap();
    let pg = layout::cluster(&data);
    first_line(&pg.join("asleep"));
    let children = [layout::postmaster_pid(&data), layout::pooler_pid(&data)];
    let children = children.map(|file| first_line(&file));
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    let mut status = None;
    eventually("it ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.unwrap().success());
    assert!(!children.into_iter().any(is_alive));
}

#[test]
fn a_stack_whose_input_ends_stops_while_a_child_does_not_start() {
    let scratch = Scratch::new();
    let bin = hanging_postgres(&scratch);
    let mut command = stack();
    command.arg("--data").arg(scratch.join("data"));
    let mut stack = Supervisor::start(command.env("POSTGRES_BIN", bin)).unwrap();
    let pg = layout::cluster(&stack.endpoints.data);
    fs::write(pg.join("hang"), "").unwrap();
    kill_9(stack.endpoints.postgres.pid);
    stack.send("start postgres");
    let hung = first_line(&pg.join("hung"));
    let pooler = stack.endpoints.pooler.pid;
    assert!(stack.stop().success());
    assert!(!is_alive(hung) && !is_alive(pooler));
}

/// Programs of PostgreSQL whose server hangs at its start once a file `hang` is in its folder.
fn hanging_postgres(scratch: &Scratch) -> std::path::PathBuf {
    let real = program_of(shared().postgres.pid);
    let bin = scratch.join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(real.with_file_name("initdb"), bin.join("initdb")).unwrap();
    let script = format!(
        "#!/bin/sh\n\
         if [ \"$1\" = -D ] && [ -e \"$2/hang\" ]; then\n\
             echo $$ >\"$2/hung\"\n\
             exec sleep 600\n\
         fi\n\
         exec '{}' \"$@\"\n",
        real.display()
    );
    executable(&bin.join("postgres"), &script);
    bin
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}
