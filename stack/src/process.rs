//! Child processes with a log file, and their shutdown by escalating signals.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::error::StackError;
use crate::ladders::Ladder;
use crate::proc::{self, as_pid, is_alive};
use crate::stop::Stop;

/// How often a condition is checked again.
const POLL: Duration = Duration::from_millis(5);
/// Bytes and lines of a log's end that an error carries.
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 8;

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Held,
    TimedOut,
    Stopped,
}

/// A running process. Dropping it kills it when it is a child.
pub(crate) struct Process {
    name: &'static str,
    kind: Kind,
    log: PathBuf,
    /// The exit status, once the process has ended.
    end: Option<String>,
}

enum Kind {
    Child(Child),
    /// A process that another program started, which no wait can reap.
    Foreign(Foreign),
}

/// An adopted process; its start time distinguishes it from a later process with the same id.
struct Foreign {
    pid: u32,
    started: Option<u64>,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C in the terminal reaches the parent
    /// alone, which then ends everything in order. The output of the child is appended to `log`.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> io::Result<Self> {
        let output = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        Ok(Self::new(name, Kind::Child(child), log))
    }

    /// Adopts a process that another program started.
    pub(crate) fn adopt(name: &'static str, pid: u32, log: &Path) -> Self {
        let started = proc::started(pid);
        Self::new(name, Kind::Foreign(Foreign { pid, started }), log)
    }

    fn new(name: &'static str, kind: Kind, log: &Path) -> Self {
        Self {
            name,
            kind,
            log: log.to_owned(),
            end: None,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        match &self.kind {
            Kind::Child(child) => child.id(),
            Kind::Foreign(foreign) => foreign.pid,
        }
    }

    pub(crate) fn is_adopted(&self) -> bool {
        matches!(self.kind, Kind::Foreign(_))
    }

    /// The exit status of a process that has ended; never blocks.
    pub(crate) fn ended(&mut self) -> Option<&str> {
        if self.end.is_none() {
            self.end = match &mut self.kind {
                Kind::Child(child) => child.try_wait().ok().flatten().map(|s| s.to_string()),
                Kind::Foreign(foreign) => foreign
                    .has_ended()
                    .then(|| "started by another program".to_owned()),
            };
        }
        self.end.as_deref()
    }

    /// A sentence about the end of a process that has ended, with the last lines of its log.
    pub(crate) fn exit_report(&mut self) -> Option<String> {
        let end = self.ended()?.to_owned();
        Some(format!(
            "{} ended ({end}); its log is {}{}",
            self.name,
            self.log.display(),
            tail(&self.log)
        ))
    }

    /// Whether the last lines of its log hold `text`.
    pub(crate) fn said(&self, text: &str) -> bool {
        tail(&self.log).contains(text)
    }

    /// The error of a start that failed for `reason`.
    pub(crate) fn did_not_start(&self, reason: String) -> StackError {
        StackError::DidNotStart {
            program: self.name,
            reason,
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    /// Escalates through the ladder until the process has ended.
    pub(crate) fn stop(&mut self, ladder: Ladder) -> Result<(), StackError> {
        if self.ended().is_some() {
            return Ok(());
        }
        for &(signal, limit) in ladder {
            // The process may just have ended by itself; the wait below sees that.
            let _ = kill(as_pid(self.pid()), signal);
            if wait_until(limit, || self.ended().is_some()) {
                return if signal == Signal::SIGKILL {
                    Err(StackError::Killed {
                        program: self.name,
                        pid: self.pid(),
                    })
                } else {
                    Ok(())
                };
            }
        }
        Err(StackError::Immortal { pid: self.pid() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none()
            && let Kind::Child(child) = &mut self.kind
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Foreign {
    fn has_ended(&self) -> bool {
        let is_other = |now: u64| self.started.is_some_and(|started| started != now);
        !is_alive(self.pid) || proc::started(self.pid).is_some_and(is_other)
    }
}

/// A command with a clean environment: `PGPORT` and its like would change what the programs do, and the
/// environment may hold passwords. LC_ALL must be set, or macOS starts threads that PostgreSQL refuses.
/// The working directory may be unreadable once root is left, so the data folder takes its place.
pub(crate) fn clean_command(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir(data)
        .stdin(Stdio::null());
    command
}

/// Log rotation: the log of the run before stays as `.1` and the new run begins with an empty one, so that
/// logs never hold more than two runs.
pub(crate) fn rotate(log: &Path) {
    // A log that cannot be renamed is appended to, which is no reason to stop.
    let _ = fs::rename(log, log.with_extension("log.1"));
}

/// Escalates through the ladder with a process that is not a child of this one.
pub(crate) fn stop_foreign(pid: u32, ladder: Ladder) -> Result<(), StackError> {
    for &(signal, limit) in ladder {
        let _ = kill(as_pid(pid), signal);
        if wait_until(limit, || !is_alive(pid)) {
            return Ok(());
        }
    }
    Err(StackError::Immortal { pid })
}

/// Polls `condition` until it holds; false when `limit` has passed first.
pub(crate) fn wait_until(limit: Duration, condition: impl FnMut() -> bool) -> bool {
    wait(limit, &Stop::default(), condition) == Wait::Held
}

/// Polls `condition` until it holds, `limit` has passed, or a stop is asked for.
pub(crate) fn wait(limit: Duration, stop: &Stop, mut condition: impl FnMut() -> bool) -> Wait {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return Wait::Held;
        }
        if Instant::now() >= deadline {
            return Wait::TimedOut;
        }
        if stop.wait_within(POLL) {
            return Wait::Stopped;
        }
    }
}

/// The last lines of `log`, each after a line end of its own.
fn tail(log: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        // The log may be no regular file, or grow meanwhile.
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let first = lines.len().saturating_sub(TAIL_LINES);
    lines[first..]
        .iter()
        .map(|line| format!("\n    {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_process_that_has_ended_is_stopped() {
        const KILL: Ladder = &[(Signal::SIGKILL, Duration::from_secs(20))];
        let mut child = Command::new("true").spawn().unwrap();
        stop_foreign(child.id(), KILL).unwrap();
        assert!(!is_alive(child.id()));
        child.wait().unwrap();
    }

    #[test]
    fn an_adopted_process_is_not_a_later_one_with_its_id() {
        let mut itself = Process::adopt("this test", std::process::id(), Path::new("log"));
        assert_eq!(itself.ended(), None);
        let mut earlier = Process::adopt("another", std::process::id(), Path::new("log"));
        if let Kind::Foreign(foreign) = &mut earlier.kind {
            foreign.started = foreign.started.map(|ticks| ticks - 1);
        }
        assert_eq!(earlier.ended().is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn a_stop_ends_a_wait_at_once() {
        let asked = Stop::default();
        asked.ask();
        assert_eq!(
            wait(Duration::from_secs(600), &asked, || false),
            Wait::Stopped
        );
        assert_eq!(wait(Duration::ZERO, &asked, || true), Wait::Held);
    }
}
