//! A package upgrade under a running stack.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Up, program_of};
use crate::supervisor::{Scratch, shared};
use crate::support::Ending;

#[test]
fn replaced_programs_are_restarted_and_lose_nothing() {
    let scratch = Scratch::new();
    // A name other than `bin`, or PostgreSQL would look for its libraries beside it.
    let bin = scratch.join("programs");
    fs::create_dir(&bin).unwrap();
    let postgres = program_of(shared().postgres.pid);
    let pooler = program_of(shared().pooler.pid);
    for program in [&postgres, &postgres.with_file_name("initdb"), &pooler] {
        fs::copy(program, bin.join(program.file_name().unwrap())).unwrap();
    }
    let up = Up::start_with(scratch, |command| {
        command
            .env("POSTGRES_BIN", &bin)
            .env("PGBOUNCER", bin.join("pgbouncer"));
    });
    let (old_postgres, old_pooler) = (up.postgres(), up.pooler());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ending = Ending(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let status = up.create();
                assert!(matches!(status, 201 | 503 | 504), "{status}");
            }
        });
        up.await_line(&["PostgreSQL runs again"], || {
            up.await_line(&["PostgreSQL", "was replaced"], || {
                replace(&bin.join("postgres"), &postgres);
            });
        });
        up.await_line(&["PgBouncer runs again"], || {
            up.await_line(&["PgBouncer", "was replaced"], || {
                replace(&bin.join("pgbouncer"), &pooler);
            });
        });
    });
    assert_ne!(up.postgres(), old_postgres);
    assert_ne!(up.pooler(), old_pooler);
    up.serves();
    up.stop();
}

/// A replacement as dpkg does it: a new file beside the old one, renamed over it.
fn replace(program: &Path, by: &Path) {
    let unpacked = program.with_added_extension("dpkg-new");
    fs::copy(by, &unpacked).unwrap();
    fs::rename(unpacked, program).unwrap();
}
