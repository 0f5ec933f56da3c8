//! `settings`: what it would cost to leave a setting of `postgres-conf/` or `pgbouncer/` at its default.
//!
//! The stack runs with our values. For each setting, rounds of our value and the default take turns, every
//! second round in the opposite order, under the same short load; neighbours are compared with each other.
//! The defaults are asked of the programs, so nothing here has to be kept in step with them.

mod chance;
mod cold;
mod comparison;
mod forms;
mod listed;
mod options;
mod page;
mod restart;
mod rig;
mod setting;
mod wait;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::ensure;
use warrior_load::machine::{Machine, Pressure};
use warrior_load::output::say;
use warrior_load::stack::Stack;

pub use options::{Load, SettingsOptions};

use self::listed::{requested, supported};
use self::page::page;
use self::rig::SettingsRig;

/// Measures, and gives a Markdown page.
///
/// # Errors
/// When a setting is unknown, the stack cannot be started or does not come back from a restart, or the run
/// was interrupted.
pub fn settings(options: &SettingsOptions, stop: &Arc<AtomicBool>) -> anyhow::Result<String> {
    ensure!(
        options.rows > 0 && options.rounds > 0 && options.seconds > 0,
        "--rows, --rounds and --seconds must be at least 1"
    );
    ensure!(
        options.connections != Some(0),
        "--connections must be at least 1"
    );
    let pressure = Pressure::now();
    let requested = requested(options)?;
    say(format_args!("starting the stack"));
    let stack = Stack::start_full_size(&options.server)?;
    let (supported, left_out) = supported(requested, stack.pooler.version)?;
    for why in left_out {
        say(format_args!("  left out: {why}"));
    }
    let (mut rig, settings) = SettingsRig::fill(options, &supported, stop, stack)?;
    let mut compared = Vec::new();
    for (requested, setting) in supported.iter().zip(&settings) {
        compared.extend(rig.compare(requested, setting)?);
    }
    let throttling = Pressure::now().since(pressure);
    Ok(page(options, &Machine::look(), throttling, &compared))
}
