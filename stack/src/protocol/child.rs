//! The child's side of the protocol, which is the whole of `warrior-api stack`: a stack that obeys a parent process.
//! `parent` is the other side.
//!
//! Tests and load tools start that program, read from its standard output where everything listens, and command
//! it through its standard input. When the input ends, because the parent is done or was killed, the stack stops.

use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use crate::connections::Connections;
use crate::error::StackError;
use crate::protocol::announcement::{self, Reply};
use crate::settings::Embedded;
use crate::signals;
use crate::stack::{self, Stack};
use crate::stop::Stop;
use crate::threads;

/// Most commands that may wait while one is carried out.
const COMMANDS_MAX: usize = 16;

enum Event {
    Command(String),
    End,
}

/// The queue of events, in the order in which they came; a stop is also known at once.
#[derive(Clone)]
struct Events {
    sender: mpsc::SyncSender<Event>,
    stop: Stop,
    /// Whether standard input has ended.
    input_ended: Arc<AtomicBool>,
}

impl Events {
    fn end(&self) {
        self.stop.ask();
        // The receiver is gone when the stack has stopped already.
        let _ = self.sender.send(Event::End);
    }
}

/// Runs a stack until standard input ends or SIGINT, SIGTERM or SIGHUP comes.
///
/// [`Reply::Running`](announcement::Reply::Running) is printed once everything listens. Then each line of input is a
/// command, answered in one line by the same, with new process ids, or by
/// [`Reply::Error`](announcement::Reply::Error): `stop postgres`, `start postgres`, `stop pooler`, `start pooler`. A
/// kill without warning takes the process id instead.
///
/// # Errors
/// As [`crate::start`] and [`Stack::stop`], when the system refuses signal handlers or threads, and when the input ends
/// during the start.
pub fn run_commanded(embedded: &Embedded, connections: Connections) -> Result<(), StackError> {
    let (sender, receiver) = mpsc::sync_channel(COMMANDS_MAX);
    let stop = Stop::default();
    let events = Events {
        sender,
        stop: stop.clone(),
        input_ended: Arc::default(),
    };
    let input_ended = Arc::clone(&events.input_ended);
    // Before anything is started, or a stop in between would not be heard. A second signal changes nothing: tools
    // and impatient terminals send several, and an exit between two of them would leave PostgreSQL behind.
    let ended = events.clone();
    signals::on_signal(move || ended.end())?;
    read_commands(events)?;
    let progress = &mut |step: &str| {
        // eprintln! would panic once standard error is closed.
        let _ = writeln!(io::stderr(), "{step}");
    };
    let mut stack = match stack::start(embedded, connections, progress, &stop) {
        Err(StackError::Interrupted) if input_ended.load(Ordering::Relaxed) => {
            return Err(StackError::NoInput);
        }
        Err(StackError::Interrupted) => return Ok(()),
        started => started?,
    };
    let mut is_read = reply(&Reply::Running(stack.endpoints()));
    while is_read {
        match receiver.recv() {
            Ok(Event::Command(command)) => {
                is_read = reply(&match obey(&mut stack, command.trim(), &stop) {
                    Ok(()) => Reply::Running(stack.endpoints()),
                    Err(e) => Reply::Error(e),
                });
            }
            Ok(Event::End) | Err(_) => is_read = false,
        }
    }
    stack.stop()
}

fn obey(stack: &mut Stack, command: &str, stop: &Stop) -> Result<(), String> {
    match command {
        "stop postgres" => stack.stop_postgres(),
        "start postgres" => stack.restart_postgres(stop),
        "stop pooler" => stack.stop_pooler(),
        "start pooler" => stack.restart_pooler(stop),
        _ => {
            return Err(format!(
                "{command:?} is no command; use stop or start, then postgres or pooler"
            ));
        }
    }
    .map_err(|e| e.to_string())
}

/// False once standard output is closed.
fn reply(reply: &Reply) -> bool {
    announcement::print(reply).is_ok()
}

fn read_commands(events: Events) -> Result<(), StackError> {
    threads::detach("commands", move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if events.sender.send(Event::Command(line)).is_err() {
                return;
            }
        }
        events.input_ended.store(true, Ordering::Relaxed);
        events.end();
    })
    .map_err(StackError::NoThread)
}
