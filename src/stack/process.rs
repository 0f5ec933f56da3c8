//! A child process with a log file, and the polite and less polite ways to end one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::StackError;

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(5);
/// How much of a log is read for its last lines.
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 8;

/// Signals and how long each may take, from the most polite to SIGKILL.
pub(super) type Ladder = &'static [(Signal, Duration)];

/// A running child. Dropping it kills it.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C in the terminal reaches only
    /// us and we can end everything in order. What it prints is added to `log`.
    pub(super) fn start(name: &'static str, command: &mut Command, log: &Path) -> io::Result<Self> {
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
        Ok(Self {
            name,
            child,
            log: log.to_owned(),
            status: None,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did; never blocks.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// A sentence about its end, if it ended, with the last lines of its log.
    pub(super) fn died(&mut self) -> Option<String> {
        let status = self.ended()?;
        Some(format!(
            "{} ended ({status}); its log is {}{}",
            self.name,
            self.log.display(),
            tail(&self.log)
        ))
    }

    /// The error of a start that failed for `reason`.
    pub(super) fn did_not_start(&self, reason: String) -> StackError {
        StackError::DidNotStart {
            program: self.name,
            reason,
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    /// Climbs the ladder until the process has ended.
    pub(super) fn stop(&mut self, ladder: Ladder) -> Result<(), StackError> {
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
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Keeps the log of the run before as `.1` and lets the new run begin with an empty one, so that logs
/// never hold more than two runs.
pub(super) fn rotate(log: &Path) {
    // When it cannot be renamed the new run adds to it, which is no reason to stop.
    let _ = fs::rename(log, log.with_extension("log.1"));
}

/// Climbs the ladder with a process that is not our child.
pub(super) fn stop_foreign(pid: u32, ladder: Ladder) -> Result<(), StackError> {
    for &(signal, patience) in ladder {
        let _ = kill(as_pid(pid), signal);
        if wait_until(patience, || !is_alive(pid)) {
            return Ok(());
        }
    }
    Err(StackError::Immortal { pid })
}

/// Whether `pid` exists, be it somebody else's.
pub(super) fn is_alive(pid: u32) -> bool {
    kill(as_pid(pid), None) != Err(Errno::ESRCH)
}

/// Looks at `condition` until it holds; false when `patience` has run out first.
pub(super) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
}

fn as_pid(pid: u32) -> Pid {
    // Process ids are positive i32 on every system we run on; 0 and negative ones would mean groups.
    Pid::from_raw(
        i32::try_from(pid)
            .ok()
            .filter(|p| *p > 0)
            .unwrap_or(i32::MAX),
    )
}

/// The last lines of `log`, each after a line end of its own.
fn tail(log: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
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
