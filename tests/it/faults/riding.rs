//! Riding through: what PgBouncer and PostgreSQL are needed for waits while they start again, and nobody is refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use uuid::Uuid;

use super::answers::Outcome;
use super::drill::Drill;
use crate::supervisor::{eventually, is_alive, kill_9};
use crate::support::Ending;

#[test]
fn a_pooler_that_is_killed_and_started_again_costs_time_and_nothing_else() {
    ride_through(
        |drill| {
            kill_9(drill.pooler_pid());
            drill.waits();
            drill.command("start pooler");
        },
        "a pooler killed",
    );
}

#[test]
fn a_postmaster_that_is_killed_and_started_again_costs_time_and_nothing_else() {
    ride_through(
        |drill| {
            let (postmaster, backends) = drill.postgres_processes();
            kill_9(postmaster);
            eventually("the backends are gone", || {
                backends.iter().all(|pid| !is_alive(*pid))
            });
            drill.waits();
            drill.command("start postgres");
        },
        "a postmaster killed",
    );
}

#[test]
fn a_restart_of_the_database_costs_time_and_nothing_else() {
    ride_through(
        |drill| {
            drill.command("stop postgres");
            drill.waits();
            drill.command("start postgres");
        },
        "PostgreSQL restarted",
    );
}

/// Behind a pooler that went on meanwhile, and whose clients are as they were.
#[test]
fn a_pooler_that_stood_still_for_a_moment_costs_time_and_nothing_else() {
    ride_through(
        |drill| {
            drill.signal_pooler(Signal::SIGSTOP);
            assert!(drill.ready().starts_with("ready"), "{}", drill.ready());
            drill.signal_pooler(Signal::SIGCONT);
        },
        "a pooler stopped and continued",
    );
}

/// Creates, finds, searches and counts while something is broken and mended; each must have its result.
fn ride_through(fault: impl FnOnce(&Drill), name: &str) {
    let drill = Drill::patient();
    let nobody = format!("/warrior/{}", Uuid::nil());
    let reads = [
        ("/counting-warriors", 200),
        ("/warrior?t=drill", 200),
        (nobody.as_str(), 404),
    ];
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let answers = drill.while_loading(|| {
        thread::scope(|scope| {
            let _ending = Ending(&stop);
            for (path, status) in reads {
                let (drill, stop, answered) = (&drill, &stop, &answered);
                scope.spawn(move || {
                    let mut client = drill.client();
                    while !stop.load(Ordering::Relaxed) {
                        let (told, body) = client.ask("GET", path, "", "");
                        assert_eq!(told, status, "{name}: {path}: {body}");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            fault(&drill);
            drill.heals();
            let before = answered.load(Ordering::Relaxed);
            eventually("reads are answered afterwards", || {
                answered.load(Ordering::Relaxed) >= before + 2 * reads.len()
            });
        });
    });
    let others = answers.iter().filter(|a| a.outcome != Outcome::Stored);
    let others: Vec<_> = others.map(|a| (&a.name, a.outcome)).collect();
    assert!(others.is_empty(), "{name}: {others:?}");
    drill.settle(answers);
}
