//! A stack that supervises itself (`warrior-api up`): what has ended is started again, however often that fails.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::Signal;
use warrior_stack::proc::{children, is_alive};

use super::judge::Invariant;
use super::load::{Load, profile};
use super::probe;
use super::rig::Unanswered;
use super::scene::Scene;
use crate::stack::Stack;

/// Longest time from the end of what kept PostgreSQL from starting to ten creates in a row: the longest backoff that
/// these faults lead to, a recovery, and ten creates.
const RESTARTED_WITHIN: Duration = Duration::from_secs(20);
/// Creates a second beside the round's own load.
const RATE: f64 = 50.0;

/// F6: PostgreSQL is killed under `warrior-api up`, while another program holds its port, so that restarts fail.
pub(super) fn port_taken(scene: &mut Scene) -> anyhow::Result<()> {
    let stack = Stack::of_programs(scene.programs())?;
    let database = stack.superuser();
    let (kills, length) = (scene.length.of(1_u64, 5), scene.seconds(3.0, 6.0));
    let directory = scene.directory().to_owned();
    let load = Load {
        target: &stack.api,
        database: Some(&database),
        directory: &directory,
    };
    let (broken, driven) = load.beside(&profile(RATE, scene.length), || {
        let mut postmaster = stack.postgres.pid;
        let mut longest = Duration::ZERO;
        for _ in 0..kills {
            let taken = take_port(scene, postmaster, stack.postgres.port)?;
            thread::sleep(length);
            drop(taken);
            let healed = probe::heals(&stack.api, Duration::from_secs(90));
            longest = longest.max(healed.context("`up` has not started PostgreSQL again")?);
            let state =
                std::fs::read_to_string(warrior_stack::layout::postmaster_pid(&stack.data))?;
            postmaster = state.lines().next().unwrap_or_default().trim().parse()?;
        }
        anyhow::Ok(longest)
    })?;
    let judged = scene.judge_also(&driven, Unanswered::Any, &stack.api, &database);
    let healed = broken?;
    scene.evidence.figures.healed(healed);
    if healed > RESTARTED_WITHIN {
        let what = format!("`up` serves {healed:.1?} after the port is free");
        scene.breach(Invariant::I7, what);
    }
    judged
}

/// Kills the postmaster and holds its port before it can be started again.
fn take_port(scene: &mut Scene, postmaster: u32, port: u16) -> anyhow::Result<TcpListener> {
    let mut all = children(postmaster);
    all.push(postmaster);
    scene.signal(postmaster, Signal::SIGKILL)?;
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        // Its orphans hold the port for a moment.
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if Instant::now() > until => return Err(error).context("PostgreSQL's port"),
            Err(_taken) if all.iter().any(|pid| is_alive(*pid)) => {}
            // `up` was quicker, and PostgreSQL runs again: that is a restart, too.
            Err(error) => return Err(error).context("`up` was quicker to take the port"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}
