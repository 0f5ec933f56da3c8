//! The headline promise under faults: 201 is present once, 503 is absent, 504 can be settled by what
//! its body carries. Each drill has a stack of its own, creates warriors all the while, breaks
//! something, mends it, and then compares every answer with the table.

mod answers;
mod drill;
mod lost_replies;
mod riding;

use std::time::Duration;

use answers::Outcome;
use drill::{CLIENTS, Drill};
use nix::sys::signal::Signal;
use warrior_stack::proxy::Cut;

pub(crate) use drill::INSERT;
pub(crate) use lost_replies::drill_encrypted;

use crate::supervisor::{eventually, kill_9};

#[test]
fn terminated_backends_cost_nobody_an_answer() {
    let drill = Drill::start();
    let mut admin = drill.superuser();
    let answers = drill.while_loading(|| {
        let mut killed = 0;
        eventually("fifteen backends are terminated", || {
            let rows = admin
                .query(include_str!("sql/terminate_one.sql"), &[])
                .unwrap();
            killed += rows.len();
            // The pace of the fault, not a wait for anything.
            std::thread::sleep(Duration::from_millis(100));
            killed >= 15
        });
    });
    let stored = answers.count(Outcome::Stored);
    // How many are stored beside each fault depends on how fast the machine logs in again.
    assert!(stored > 15, "{stored} of {}", answers.len());
    drill.settle(answers);
}

#[test]
fn a_backend_killed_hard_restarts_postgresql_and_loses_nothing() {
    let drill = Drill::start();
    let mut admin = drill.superuser();
    let answers = drill.while_loading(|| {
        let row = admin
            .query_one(include_str!("sql/any_backend.sql"), &[])
            .unwrap();
        kill_9(u32::try_from(row.get::<_, i32>(0)).unwrap());
        drill.heals();
    });
    drill.settle(answers);
}

#[test]
fn a_postmaster_killed_hard_loses_nothing() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        let (postmaster, backends) = drill.postgres_processes();
        kill_9(postmaster);
        eventually("the backends are gone", || {
            backends
                .iter()
                .all(|pid| !crate::supervisor::is_alive(*pid))
        });
        drill.refuses();
        drill.command("start postgres");
        drill.heals();
    });
    drill.settle(answers);
}

#[test]
fn postgresql_stopped_is_refused_at_once_and_heals_by_itself() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        drill.command("stop postgres");
        drill.refuses();
        drill.answers_ready("not ready: ");
        drill.command("start postgres");
        drill.heals();
        drill.answers_ready("ready\n");
    });
    assert!(answers.count(Outcome::Refused) > 0);
    drill.settle(answers);
}

/// The probe asks again and again meanwhile, which an alert must not take for workers that wait.
#[test]
fn an_outage_without_requests_is_no_worker_s_wait_for_a_connection() {
    let drill = Drill::start();
    let timeouts = || {
        let metrics = drill.admin("/metrics");
        let line = |line: &str| {
            Some(
                line.strip_prefix("db_client_connection_timeouts_total ")?
                    .to_owned(),
            )
        };
        metrics
            .lines()
            .find_map(line)
            .expect("the counter is there")
    };
    let before = timeouts();
    kill_9(drill.pooler_pid());
    drill.answers_ready("not ready: ");
    assert_eq!(timeouts(), before);
}

#[test]
fn a_pooler_killed_hard_loses_nothing() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        kill_9(drill.pooler_pid());
        drill.refuses();
        drill.command("start pooler");
        drill.heals();
    });
    drill.settle(answers);
}

#[test]
fn a_silent_pooler_is_answered_for_at_the_deadline() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        // The silence may begin at a moment when nothing is on its way.
        eventually("something is sent into the silence", || {
            drill.signal_pooler(Signal::SIGSTOP);
            drill.refuses();
            drill.signal_pooler(Signal::SIGCONT);
            drill.heals();
            drill.has_unknown()
        });
    });
    drill.settle(answers);
}

#[test]
fn a_short_pause_of_the_pooler_costs_time_and_nothing_else() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        let mut console = drill.console();
        console.simple_query("pause").unwrap();
        std::thread::sleep(Duration::from_millis(300));
        console.simple_query("resume").unwrap();
        drill.heals();
    });
    assert_eq!(answers.count(Outcome::Stored), answers.len());
    drill.settle(answers);
}

#[test]
fn a_long_pause_of_the_pooler_is_refused_and_heals() {
    let drill = Drill::start();
    let answers = drill.while_loading(|| {
        let mut console = drill.console();
        console.simple_query("pause").unwrap();
        drill.refuses();
        console.simple_query("resume").unwrap();
        drill.heals();
    });
    drill.settle(answers);
}

#[test]
fn reconnect_and_reload_of_the_pooler_leave_nothing_unknown() {
    let commands = ["reconnect", "reload", "reconnect"];
    // PgBouncer logs in anew. Where that takes a busy machine longer than `query_wait_timeout`, each client may be refused
    // until it has; where it takes longer than a create waits, the round says nothing and is done again.
    let known = (0..3).any(|_| {
        let drill = Drill::start();
        let answers = drill.while_loading(|| {
            let mut console = drill.console();
            for command in commands {
                console.simple_query(command).unwrap();
                drill.heals();
            }
        });
        let spells = answers.refusal_spells();
        assert!(spells <= commands.len() * CLIENTS, "{spells} spells");
        let unknown = answers.count(Outcome::Unknown);
        drill.settle(answers);
        unknown == 0
    });
    assert!(known, "each round leaves outcomes unknown");
}

#[test]
fn a_reply_cut_off_is_settled_by_the_same_id() {
    for cut in [Cut::Reply, Cut::ReadyForQuery, Cut::Request] {
        // A busy machine may take longer for the new login than a create waits, so that its retry comes too late.
        let confirmed = (0..3).any(|_| {
            let drill = Drill::through_proxy();
            let answers = drill.while_loading(|| {
                for _ in 0..5 {
                    drill.cut_next(cut);
                    drill.heals();
                }
            });
            let all = answers.count(Outcome::Stored) == answers.len();
            drill.settle(answers);
            all
        });
        assert!(confirmed, "{cut:?}: the retry confirms");
    }
}

#[test]
fn a_locked_table_is_refused_and_frees_its_workers() {
    let drill = Drill::start();
    let mut admin = drill.superuser();
    let answers = drill.while_loading(|| {
        let mut transaction = admin.transaction().unwrap();
        transaction
            .batch_execute("lock table warrior in access exclusive mode")
            .unwrap();
        drill.refuses();
        transaction.rollback().unwrap();
        drill.heals();
    });
    // Those that were sent before the lock was known are unknown; how many of the eight is chance.
    assert!(answers.count(Outcome::Stored) < answers.len());
    drill.settle(answers);
}
