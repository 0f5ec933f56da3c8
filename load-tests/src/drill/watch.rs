//! The watch of a server during a round: its liveness, and the resources that it holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use procfs::process::Process;

use super::probe;
use crate::target::Target;

/// How often liveness is asked.
const LIVE_INTERVAL: Duration = Duration::from_millis(100);
/// What comes on top of a tenth: pools, caches and sockets that a server at rest had not needed yet.
const HANDLES_SLACK: u64 = 8;
const MEMORY_SLACK_KIB: u64 = 16 * 1024;

/// A thread that asks `/live` until it is ended.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Watch {
    pub(super) fn begin(admin: Target) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut wrong = Vec::new();
            while !told.load(Ordering::Relaxed) {
                match probe::get(&admin, "/live") {
                    Ok(reply) if reply.status == 200 => {}
                    Ok(reply) => wrong.push(format!("/live answered {}", reply.status)),
                    Err(error) => wrong.push(format!("/live: {error}")),
                }
                std::thread::sleep(LIVE_INTERVAL);
            }
            wrong
        });
        let thread = Some(thread);
        Watch { stop, thread }
    }

    /// What was answered instead of 200.
    pub(super) fn end(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let watched = self.thread.take().map(JoinHandle::join);
        let panicked = || vec!["the watch of /live panicked".to_owned()];
        watched.and_then(Result::ok).unwrap_or_else(panicked)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// I9 by all that `/ready` has answered in an outage: what is wrong with it. The server lives, and says no with a 503.
pub(super) fn unready(said: &BTreeSet<Option<u16>>) -> Option<String> {
    let answers: Vec<String> = (said.iter())
        .map(|status| status.map_or("silent".to_owned(), |status| status.to_string()))
        .collect();
    (!said.contains(&Some(503))).then(|| format!("/ready was {}", answers.join(" or ")))
}

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    threads: u64,
    descriptors: u64,
    memory_kib: u64,
}

impl Held {
    /// What the process holds now; none once it has ended.
    pub(super) fn by(pid: u32) -> Option<Held> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        let status = process.status().ok()?;
        Some(Held {
            threads: status.threads,
            descriptors: process.fd_count().ok()? as u64,
            memory_kib: status.vmrss?,
        })
    }

    /// What has grown by more than a tenth and the slack, `pid` being given `patience` to let go of it. `busy` is done
    /// meanwhile: an allocator gives back when it is used.
    pub(super) fn grown(self, pid: u32, patience: Duration, busy: impl Fn()) -> Vec<String> {
        let until = Instant::now() + patience;
        loop {
            let Some(now) = Held::by(pid) else {
                return vec!["the server has ended".to_owned()];
            };
            let grown = self.grown_to(now);
            if grown.is_empty() || Instant::now() > until {
                return grown;
            }
            busy();
            std::thread::sleep(LIVE_INTERVAL);
        }
    }

    fn grown_to(self, now: Held) -> Vec<String> {
        let mut grown = Vec::new();
        for (what, before, after, slack) in [
            ("threads", self.threads, now.threads, HANDLES_SLACK),
            (
                "descriptors",
                self.descriptors,
                now.descriptors,
                HANDLES_SLACK,
            ),
            (
                "KiB of memory",
                self.memory_kib,
                now.memory_kib,
                MEMORY_SLACK_KIB,
            ),
        ] {
            if after > before + before / 10 + slack {
                grown.push(format!("{before} {what} before, {after} after"));
            }
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_holds_is_counted_and_growth_is_named() {
        let own = Held::by(std::process::id()).expect("it lives");
        assert!(own.threads > 0 && own.descriptors > 2 && own.memory_kib > 0);
        assert!(own.grown_to(own).is_empty());
        let leaked = Held {
            descriptors: 2 * own.descriptors + 100,
            ..own
        };
        assert!(own.grown_to(leaked)[0].contains("descriptors"));
    }

    #[test]
    fn silence_is_no_answer_of_a_server_that_is_not_ready() {
        let judged = |said: &[Option<u16>]| unready(&said.iter().copied().collect());
        assert_eq!(judged(&[Some(200), None, Some(503)]), None);
        assert!(judged(&[None]).is_some_and(|what| what.ends_with("silent")));
        let both = judged(&[Some(200), None]);
        assert_eq!(both.as_deref(), Some("/ready was silent or 200"));
        assert!(judged(&[Some(200)]).is_some() && judged(&[Some(500)]).is_some());
    }
}
