//! Interruption: what ends the DuckDB statement that runs when a stop is asked for.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use warrior_api::migrate::{Canceller, Connection};
use warrior_stack::Stop;

/// Pause between two looks at the stop.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Cancels the statements of a connection from the stop on, until it is dropped.
pub(super) struct Interrupt {
    over: Stop,
    watcher: Option<JoinHandle<()>>,
}

impl Interrupt {
    pub(super) fn new(connection: &Connection, stop: &Stop) -> anyhow::Result<Self> {
        let (over, stop, canceller) = (Stop::default(), stop.clone(), connection.canceller());
        let until = over.clone();
        let watcher = thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(move || watch(&canceller, &stop, &until))
            .context("cannot start a thread")?;
        Ok(Self {
            over,
            watcher: Some(watcher),
        })
    }
}

/// Cancels again and again: a statement may begin after the first time.
fn watch(canceller: &Canceller, stop: &Stop, until: &Stop) {
    while !until.wait_within(POLL_INTERVAL) {
        if stop.wait_within(Duration::ZERO) {
            // Without a running statement it does nothing, and an error leaves what there was before: the next look.
            let _ = canceller.cancel();
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.over.ask();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}
