//! A process with a log file, and the polite and less polite ways to end one.

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

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(5);
/// How much of a log is read for its last lines.
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
    /// How it ended, if it did.
    end: Option<String>,
}

enum Kind {
    Child(Child),
    /// One that somebody else started, which no wait can reap.
    Foreign(Foreign),
}

/// The start time tells a process from a later one with the same id.
struct Foreign {
    pid: u32,
    started: Option<u64>,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C in the terminal reaches only
    /// us and we can end everything in order. What it prints is added to `log`.
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

    /// Takes over a process that somebody else started.
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

    /// How it ended, if it did; never blocks.
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

    /// A sentence about its end, if it ended, with the last lines of its log.
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

    /// Climbs the ladder until the process has ended.
    pub(crate) fn stop(&mut self, ladder: Ladder) -> Result<(), StackError> {
        if self.ended().is_some() {
            return Ok(());
        }
        for &(signal, patience) in ladder {
            // It may just have ended by itself; the wait below sees that.
            let _ = kill(as_pid(self.pid()), signal);
            if wait_until(patience, || self.ended().is_some()) {
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

/// Keeps the log of the run before as `.1` and lets the new run begin with an empty one, so that logs
/// never hold more than two runs.
pub(crate) fn rotate(log: &Path) {
    // When it cannot be renamed the new run adds to it, which is no reason to stop.
    let _ = fs::rename(log, log.with_extension("log.1"));
}

/// Climbs the ladder with a process that is not our child.
pub(crate) fn stop_foreign(pid: u32, ladder: Ladder) -> Result<(), StackError> {
    for &(signal, patience) in ladder {
        let _ = kill(as_pid(pid), signal);
        if wait_until(patience, || !is_alive(pid)) {
            return Ok(());
        }
    }
    Err(StackError::Immortal { pid })
}

/// Looks at `condition` until it holds; false when `patience` has run out first.
pub(crate) fn wait_until(patience: Duration, condition: impl FnMut() -> bool) -> bool {
    wait(patience, &Stop::default(), condition) == Wait::Held
}

/// As [`wait_until`], unless a stop is asked for first.
pub(crate) fn wait(patience: Duration, stop: &Stop, mut condition: impl FnMut() -> bool) -> Wait {
    let deadline = Instant::now() + patience;
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
        // It may be no file, or grow meanwhile.
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
