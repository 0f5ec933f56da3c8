//! CPU time by process, for each request.

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use procfs::process::{Process, all_processes};

use warrior_load::machine::Pressure;
use warrior_load::stack::Stack;

use crate::sample::{Cpu, Sample};

/// The CPU time that was used during a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    seconds: f64,
    busy_cores: f64,
    cpu: Cpu,
}

/// Looks at processes from now on.
#[derive(Debug)]
pub(crate) struct Meter {
    processes: Processes,
    begun: Instant,
    machine: Pressure,
    cpu: Cpu,
}

impl Meter {
    /// Begins.
    pub(crate) fn start(processes: Processes) -> Meter {
        Meter {
            processes,
            begun: Instant::now(),
            machine: Pressure::now(),
            cpu: processes.cpu(),
        }
    }

    /// Ends.
    pub(crate) fn stop(self) -> Used {
        let cpus = num_cpus::get();
        Used {
            seconds: self.begun.elapsed().as_secs_f64(),
            busy_cores: Pressure::now().since(self.machine).busy * cpus as f64,
            cpu: self.processes.cpu().minus(self.cpu),
        }
    }
}

impl Used {
    /// Writes it into a sample of so many requests or rows, warm-up included.
    pub(crate) fn note(self, sample: &mut Sample, units: u64) {
        sample.cpu_us = self.cpu.times(1e6 / units.max(1) as f64);
        sample.generator_cores = self.cpu.generator / self.seconds;
        sample.other_cores = (self.busy_cores - self.cpu.sum() / self.seconds).max(0.0);
    }
}

/// The processes that are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Processes {
    server: i32,
    postmaster: Option<i32>,
    pooler: Option<i32>,
}

impl Processes {
    /// Those of a stack.
    pub(crate) fn of_stack(stack: &Stack) -> Processes {
        Processes {
            server: stack.server_pid() as i32,
            postmaster: Some(stack.postgres.pid as i32),
            pooler: Some(stack.pooler.pid as i32),
        }
    }

    /// The same with another server in the place of the stack's, which is idle.
    pub(crate) fn with_server(self, server: i32) -> Processes {
        Processes { server, ..self }
    }

    /// A server that has nothing behind it.
    pub(crate) fn alone(server: i32) -> Processes {
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

/// The threads of a process, to the nanosecond: `/proc/<pid>/stat` counts in hundredths of a second, for
/// each of PostgreSQL's processes. A process that is gone has used nothing.
fn own_seconds(pid: i32) -> f64 {
    let tasks = Process::new(pid).and_then(|process| process.tasks());
    let nanos: u64 = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| Some(task.schedstat().ok()?.sum_exec_runtime))
        .sum();
    nanos as f64 / 1e9
}

/// A process, its children, and those of its children that have ended.
fn family_seconds(parent: i32) -> f64 {
    let children: f64 = all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|process| process.stat().is_ok_and(|stat| stat.ppid == parent))
        .map(|process| own_seconds(process.pid))
        .sum();
    let ended = Process::new(parent).and_then(|process| process.stat());
    let ended = ended.map_or(0, |stat| stat.cutime + stat.cstime);
    own_seconds(parent) + children + ended as f64 / procfs::ticks_per_second() as f64
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
        let me = std::process::id() as i32;
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
