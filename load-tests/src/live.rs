//! Live views of a run.

mod heights;
mod plain;
mod progress;
mod table;
mod tui;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use progress::Progress;

/// How a run is shown while it goes.
pub enum View {
    /// The full-screen view of a terminal.
    Tui(Box<tui::Tui>),
    /// A line a second.
    Plain,
    /// Nothing.
    Quiet,
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
    pub fn show(&mut self, progress: &Progress<'_>) {
        match self {
            View::Tui(tui) => tui.draw(progress),
            View::Plain => plain::print(progress),
            View::Quiet => {}
        }
    }
}
