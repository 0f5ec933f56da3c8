//! PostgreSQL at a quarter of a core.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::load::{beside, create};
use super::{Alone, says};
use crate::support::Ending;

/// A period of the limit: a quarter of it PostgreSQL runs, for the rest it is stopped.
const PERIOD: Duration = Duration::from_millis(80);

/// A trigger that takes some milliseconds of a core, before the statement has a lock that others could wait for.
const BUSY: &str = "
    create function public.busy() returns trigger language plpgsql
        as 'begin perform count(*) from pg_catalog.generate_series(1, 50000); return null; end';
    create trigger busy before insert on public.warrior for each statement execute function public.busy();";

#[test]
fn a_quarter_of_a_core_binds() {
    let alone = Alone::take();
    let database = alone.database();
    database.superuser().batch_execute(BUSY).unwrap();
    let sizes = [
        ("WORKERS_CREATE", "8"),
        ("WORKERS_FIND", "1"),
        ("WORKERS_SEARCH", "1"),
    ];
    let server = alone.serve(&database, &sizes);
    let over = AtomicBool::new(false);
    let postmaster = alone.endpoints().postgres.pid;
    let sentence = thread::scope(|scope| {
        scope.spawn(|| hold_back(postmaster, &over));
        let _ending = Ending(&over);
        let ask = || create(server.public);
        beside(24, ask, || says(&server, "postgres-cpu"))
    });
    assert!(sentence.contains("want a core"), "{sentence}");
}

/// Stops and continues the processes of PostgreSQL in turn, as `cpulimit` does: unlike a control group, it takes no
/// rights that a machine may not give.
fn hold_back(postmaster: u32, over: &AtomicBool) {
    let signal = |signal: Signal| {
        for pid in warrior_stack::proc::children(postmaster) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
    };
    while !over.load(Ordering::Relaxed) {
        signal(Signal::SIGSTOP);
        thread::sleep(PERIOD * 3 / 4);
        signal(Signal::SIGCONT);
        thread::sleep(PERIOD / 4);
    }
}
