//! A stack for other programs: tests and load tools start `warrior-api stack` as a child, read where
//! everything listens from its standard output, and command it through its standard input.
//!
//! When the input ends, because the other program is done or was killed, the stack stops. So nothing
//! is left behind even by a test runner without a teardown.

use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::embedded::Embedded;
use crate::endpoints::Endpoints;
use crate::error::StackError;
use crate::process::Stopping;
use crate::sizes::Sizes;
use crate::stack::{self, Stack};

/// How many lines may wait while a command is carried out.
const LINES_MAX: usize = 16;

enum Event {
    Line(String),
    End,
}

/// Where what happens outside is told: in the order it came, and a stop also at once.
#[derive(Clone)]
struct Events {
    sender: mpsc::SyncSender<Event>,
    stopped: Arc<AtomicBool>,
}

impl Events {
    fn end(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The receiver is gone when the stack has stopped already.
        let _ = self.sender.send(Event::End);
    }
}

/// One answer, one line.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Running(Endpoints),
    Error(String),
}

/// Runs a stack until standard input ends or SIGINT or SIGTERM comes.
///
/// It prints `{"running": {...}}` ([`Endpoints`]) once everything listens. Then each line of input is
/// a command, answered in one line by the same, with new process ids, or by `{"error": "..."}`:
/// `stop postgres`, `start postgres`, `stop pooler`, `start pooler`. To kill one without warning,
/// use the process id.
///
/// # Errors
/// As [`crate::start`] and [`Stack::stop`].
pub fn supervise(embedded: &Embedded, sizes: &Sizes) -> Result<(), StackError> {
    let (sender, receiver) = mpsc::sync_channel(LINES_MAX);
    let stopped = Arc::new(AtomicBool::new(false));
    let events = Events {
        sender,
        stopped: Arc::clone(&stopped),
    };
    // Before anything is started, or a stop in between would not be heard.
    watch_signals(events.clone());
    watch_input(events);
    let stopping = |patience| {
        std::thread::sleep(patience);
        stopped.load(Ordering::Relaxed)
    };
    let progress = &mut |step: &str| {
        // eprintln! would panic where nobody reads any more.
        let _ = writeln!(io::stderr(), "{step}");
    };
    let mut stack = match stack::start(embedded, sizes, progress, &stopping) {
        Err(StackError::Interrupted) => return Ok(()),
        started => started?,
    };
    let mut listening = answer(&Answer::Running(stack.endpoints()));
    while listening {
        match receiver.recv() {
            Ok(Event::Line(line)) => {
                let result = obey(&mut stack, line.trim(), &stopping);
                listening = answer(&match result {
                    Ok(()) => Answer::Running(stack.endpoints()),
                    Err(e) => Answer::Error(e),
                });
            }
            Ok(Event::End) | Err(_) => listening = false,
        }
    }
    stack.stop()
}

fn obey(stack: &mut Stack, command: &str, stopping: Stopping<'_>) -> Result<(), String> {
    match command {
        "stop postgres" => stack.stop_postgres(),
        "start postgres" => stack.restart_postgres(stopping),
        "stop pooler" => stack.stop_pooler(),
        "start pooler" => stack.restart_pooler(stopping),
        _ => {
            return Err(format!(
                "{command:?} is no command; use stop or start, then postgres or pooler"
            ));
        }
    }
    .map_err(|e| e.to_string())
}

/// False when nobody reads any more.
fn answer(answer: &Answer) -> bool {
    let write = || -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, answer)?;
        writeln!(out)?;
        out.flush()
    };
    write().is_ok()
}

fn watch_input(events: Events) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if events.sender.send(Event::Line(line)).is_err() {
                return;
            }
        }
        events.end();
    });
}

/// Signals need a runtime; it lives on a thread of its own. Returns once they are caught.
fn watch_signals(events: Events) {
    let (caught, wait) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            ) else {
                return;
            };
            let _ = caught.send(());
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            events.end();
        });
    });
    // An error means that the thread has given up; the stack then ends with its input alone.
    let _ = wait.recv();
}
