//! Watching a run while it goes.

mod plain;
mod server_gauges;
mod tui;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use server_gauges::ServerGauges;

use crate::collect::Collected;
use crate::engine::Plan;

/// How a run is shown while it goes.
pub enum View {
    /// The full-screen view of a terminal.
    Tui(Box<tui::Tui>),
    /// A line a second.
    Plain,
    /// Nothing.
    Quiet,
}

/// What is shown.
pub struct Moment<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// What was counted so far.
    pub collected: &'a Collected,
    /// The newest complete second.
    pub second: usize,
    /// How long the run takes as planned.
    pub seconds_planned: f64,
    /// The server's queues and pools.
    pub gauges: &'a BTreeMap<String, f64>,
}

impl View {
    /// The full screen on a terminal that allows it, else lines.
    pub fn choose(no_tui: bool, no_color: bool, stop: &Arc<AtomicBool>) -> View {
        if no_tui || no_color || !std::io::stdout().is_terminal() {
            return View::Plain;
        }
        tui::Tui::open(stop).map_or(View::Plain, |tui| View::Tui(Box::new(tui)))
    }

    /// Shows one more second.
    pub fn show(&mut self, moment: &Moment<'_>) {
        match self {
            View::Tui(tui) => tui.draw(moment),
            View::Plain => plain::print(moment),
            View::Quiet => {}
        }
    }
}

/// Prints a line. A reader that went away (`| head`) is no reason to end the run: its result is in
/// files, and its verdict in the exit code.
pub fn say(line: fmt::Arguments<'_>) {
    writeln!(std::io::stdout(), "{line}").ok();
}

/// Microseconds as people read them.
pub fn micros(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} us"),
        1_000..10_000 => format!("{:.2} ms", value as f64 / 1e3),
        10_000..1_000_000 => format!("{:.1} ms", value as f64 / 1e3),
        _ => format!("{:.2} s", value as f64 / 1e6),
    }
}
