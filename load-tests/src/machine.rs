//! The machine under the run: its hardware, and whether CPU throttling or steal held the run back.

use std::path::Path;
use std::process::Command;

use procfs::{CpuInfo, Current, CurrentSI, KernelStats};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use warrior_stack::memory::machine_bytes;
pub use warrior_stack::newest_postgres_program;

/// What a result's figures depend on besides the two programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Its name.
    pub host: String,
    /// Kernel release.
    pub kernel: String,
    /// CPU model.
    pub cpu_model: String,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// `fdatasync` operations per second as `pg_test_fsync` measured them, when it could.
    pub fdatasync_per_second: Option<f64>,
}

/// Counters of the kernel that grow while the machine holds work back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pressure {
    throttled_micros: u64,
    steal_ticks: u64,
    busy_ticks: u64,
    all_ticks: u64,
}

/// Throttling and load of the machine over a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throttling {
    /// How long this cgroup was not let run, in milliseconds over all its CPUs.
    pub throttled_ms: u64,
    /// The share of CPU time that the hypervisor gave to others.
    pub steal: f64,
    /// The share of CPU time that was used at all.
    pub busy: f64,
}

impl Machine {
    /// The description of this machine. A value that cannot be read stays empty: a report must not fail for it.
    pub fn look() -> Machine {
        let cpu = CpuInfo::current().ok();
        let model = cpu.as_ref().and_then(|cpu| cpu.model_name(0));
        Machine {
            host: read("/proc/sys/kernel/hostname").trim().to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cpu_model: model.unwrap_or_default().to_owned(),
            cpus: num_cpus::get(),
            memory_mib: machine_bytes().unwrap_or(0) >> 20,
            fdatasync_per_second: None,
        }
    }
}

impl Pressure {
    /// Reads the counters now.
    pub fn now() -> Pressure {
        let Ok(stats) = KernelStats::current() else {
            return Pressure::default();
        };
        let cpu = stats.total;
        let of = Option::unwrap_or_default;
        let idle = cpu.idle + of(cpu.iowait);
        // The kernel counts guests' time as part of the user's.
        let busy = cpu.user + cpu.nice + cpu.system + of(cpu.irq) + of(cpu.softirq) + of(cpu.steal);
        Pressure {
            throttled_micros: throttled_micros(),
            steal_ticks: of(cpu.steal),
            busy_ticks: busy,
            all_ticks: busy + idle,
        }
    }

    /// What happened since `before`.
    pub fn since(self, before: Pressure) -> Throttling {
        let all = self.all_ticks.saturating_sub(before.all_ticks).max(1) as f64;
        Throttling {
            throttled_ms: self
                .throttled_micros
                .saturating_sub(before.throttled_micros)
                / 1000,
            steal: self.steal_ticks.saturating_sub(before.steal_ticks) as f64 / all,
            busy: self.busy_ticks.saturating_sub(before.busy_ticks) as f64 / all,
        }
    }
}

/// Runs `pg_test_fsync` for a second per method in `directory`, and reads its `fdatasync` line.
/// `None` when the program is not installed or the directory cannot be written.
pub fn fdatasync_per_second(directory: &Path) -> Option<f64> {
    let file = directory.join(format!("fsync-test-{}", std::process::id()));
    let output = Command::new(newest_postgres_program("pg_test_fsync").ok()?)
        .args(["--secs-per-test", "1", "--filename"])
        .arg(&file)
        .output()
        .ok()?;
    // The program removes its file itself; only an interrupted run leaves one.
    std::fs::remove_file(&file).ok();
    parse_fdatasync(&String::from_utf8_lossy(&output.stdout))
}

fn parse_fdatasync(output: &str) -> Option<f64> {
    let line = output
        .lines()
        .find(|line| line.trim_start().starts_with("fdatasync"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// `cpu.stat` of this process's cgroup, or of the root it sees inside a container.
fn throttled_micros() -> u64 {
    let own = read("/proc/self/cgroup");
    let path = own
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .unwrap_or("/");
    let candidates = [
        format!("/sys/fs/cgroup{path}/cpu.stat"),
        "/sys/fs/cgroup/cpu.stat".into(),
    ];
    candidates
        .iter()
        .find_map(|file| {
            let stat = std::fs::read_to_string(file).ok()?;
            stat.lines()
                .find_map(|line| line.strip_prefix("throttled_usec ")?.parse().ok())
        })
        .unwrap_or(0)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fdatasync_line_is_read() {
        let output = "Compare file sync methods using one 8kB write:\n\
                      \u{20}       open_datasync                      1021.113 ops/sec     979 usecs/op\n\
                      \u{20}       fdatasync                          1034.517 ops/sec     967 usecs/op\n";
        assert_eq!(parse_fdatasync(output), Some(1034.517));
        assert_eq!(parse_fdatasync("nothing"), None);
    }

    #[test]
    fn a_busy_loop_shows_as_busy() {
        let before = Pressure::now();
        let until = std::time::Instant::now() + std::time::Duration::from_millis(300);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        let throttling = Pressure::now().since(before);
        assert!(
            throttling.busy > 0.05 && throttling.busy <= 1.0,
            "{throttling:?}"
        );
        assert!((0.0..=1.0).contains(&throttling.steal), "{throttling:?}");
    }
}
