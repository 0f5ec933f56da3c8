//! CPU time by process: who spends how much on one request.

use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Serialize;

use super::sample::Sample;
use warrior_load::machine::Pressure;
use warrior_load::stress::Stack;

/// CPU seconds of the parts of a stack, and of the generator that keeps it busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// warrior-api, or what stands in its place.
    pub server: f64,
    /// All processes of PostgreSQL.
    pub postgres: f64,
    /// PgBouncer.
    pub pooler: f64,
    /// The load generator, or pgbench.
    pub generator: f64,
}

/// What was used during a measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    seconds: f64,
    busy_cores: f64,
    cpu: Cpu,
}

/// Looks at processes from now on.
#[derive(Debug)]
pub(super) struct Meter {
    processes: Processes,
    begun: Instant,
    machine: Pressure,
    cpu: Cpu,
}

impl Meter {
    /// Begins.
    pub(super) fn start(processes: Processes) -> Meter {
        Meter {
            processes,
            begun: Instant::now(),
            machine: Pressure::now(),
            cpu: processes.cpu(),
        }
    }

    /// Ends.
    pub(super) fn stop(self) -> Used {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Used {
            seconds: self.begun.elapsed().as_secs_f64(),
            busy_cores: Pressure::now().since(self.machine).busy * cpus as f64,
            cpu: self.processes.cpu().minus(self.cpu),
        }
    }
}

impl Used {
    /// Writes it into a sample of so many requests or rows, warm-up included.
    pub(super) fn note(self, sample: &mut Sample, units: u64) {
        sample.cpu_us = self.cpu.times(1e6 / units.max(1) as f64);
        sample.generator_cores = self.cpu.generator / self.seconds;
        sample.other_cores = (self.busy_cores - self.cpu.sum() / self.seconds).max(0.0);
    }
}

/// The processes that are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Processes {
    server: u32,
    postmaster: Option<u32>,
    pooler: Option<u32>,
}

impl Processes {
    /// Those of a stack.
    pub(super) fn of_stack(stack: &Stack) -> Processes {
        Processes {
            server: stack.server_pid(),
            postmaster: Some(stack.postgres.pid),
            pooler: Some(stack.pooler.pid),
        }
    }

    /// A server that has nothing behind it.
    pub(super) fn alone(server: u32) -> Processes {
        Processes {
            server,
            postmaster: None,
            pooler: None,
        }
    }

    /// CPU time so far. A process that is gone counts 0: the run then fails for a better reason.
    fn cpu(&self) -> Cpu {
        Cpu {
            server: own_seconds(self.server),
            postgres: self.postmaster.map_or(0.0, family_seconds),
            pooler: self.pooler.map_or(0.0, own_seconds),
            // pgbench is a child that has been waited for; the stack is one that has not.
            generator: usage_seconds(UsageWho::RUSAGE_SELF)
                + usage_seconds(UsageWho::RUSAGE_CHILDREN),
        }
    }
}

impl Cpu {
    fn minus(self, before: Cpu) -> Cpu {
        Cpu {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            pooler: self.pooler - before.pooler,
            generator: self.generator - before.generator,
        }
    }

    fn times(self, factor: f64) -> Cpu {
        Cpu {
            server: self.server * factor,
            postgres: self.postgres * factor,
            pooler: self.pooler * factor,
            generator: self.generator * factor,
        }
    }

    fn sum(self) -> f64 {
        self.server + self.postgres + self.pooler + self.generator
    }
}

/// The threads of a process, to the nanosecond: `/proc/<pid>/stat` counts in hundredths of a second,
/// for each of PostgreSQL's processes.
fn own_seconds(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let nanos = |task: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let nanos: u64 = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(nanos)
        .sum();
    nanos as f64 / 1e9
}

/// A process, its children, and those of its children that have ended.
fn family_seconds(parent: u32) -> f64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children: f64 = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| stat_field(*pid, PARENT) == Some(u64::from(parent)))
        .map(own_seconds)
        .sum();
    let ended = [CHILDREN_USER, CHILDREN_SYSTEM]
        .map(|field| stat_field(parent, field).unwrap_or(0))
        .iter()
        .sum::<u64>();
    own_seconds(parent) + children + ended as f64 / TICKS_PER_SECOND
}

/// Places in `/proc/<pid>/stat`, counted from the field behind the name (see proc(5)).
const PARENT: usize = 1;
const CHILDREN_USER: usize = 13;
const CHILDREN_SYSTEM: usize = 14;
/// `USER_HZ`, which is 100 on every architecture that Linux still runs PostgreSQL on.
const TICKS_PER_SECOND: f64 = 100.0;

fn stat_field(pid: u32, field: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and parentheses, so it ends at the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(field)?.parse().ok()
}

fn usage_seconds(who: UsageWho) -> f64 {
    getrusage(who).map_or(0.0, |usage| {
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    fn spin(length: Duration) {
        let until = Instant::now() + length;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn work_shows_where_it_was_done() {
        let me = std::process::id();
        let (own, family) = (own_seconds(me), family_seconds(me));
        let meter = Meter::start(Processes::alone(me));
        spin(Duration::from_millis(200));
        assert!(own_seconds(me) > own + 0.02);
        // A child that has ended still counts for its family and for the generator.
        let child = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"])
            .status();
        assert!(child.expect("a shell").success());
        assert!(family_seconds(me) > family + 0.05);
        let mut sample = Sample::default();
        meter.stop().note(&mut sample, 1000);
        let cpu = sample.cpu_us;
        assert!(cpu.generator > 50.0 && cpu.postgres == 0.0, "{cpu:?}");
        assert!(
            sample.generator_cores > 0.0 && sample.other_cores >= 0.0,
            "{sample:?}"
        );
    }
}
