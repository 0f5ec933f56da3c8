//! The machine under the run: what it is, and whether it held the run back.

use std::path::{Path, PathBuf};
use std::process::Command;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Looks around. What cannot be read stays empty: a report must not fail for it.
    pub fn look() -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let memory = read("/proc/meminfo").lines().find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        });
        Machine {
            host: read("/proc/sys/kernel/hostname").trim().to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cpu_model: model
                .map_or("", |text| text.trim_start_matches([' ', '\t', ':']))
                .to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory.unwrap_or(0u64) / 1024,
            fdatasync_per_second: None,
        }
    }
}

impl Pressure {
    /// Reads the counters now.
    pub fn now() -> Pressure {
        let stat = read("/proc/stat");
        let ticks: Vec<u64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|word| word.parse().ok())
            .collect();
        let tick = |place: usize| ticks.get(place).copied().unwrap_or(0);
        let all: u64 = ticks.iter().sum();
        Pressure {
            throttled_micros: throttled_micros(),
            steal_ticks: tick(7),
            busy_ticks: all - tick(3) - tick(4),
            all_ticks: all,
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
    let output = Command::new(pg_test_fsync()?)
        .args(["--secs-per-test", "1", "--filename"])
        .arg(&file)
        .output()
        .ok()?;
    // It removes its file itself; only an interrupted run leaves one.
    std::fs::remove_file(&file).ok();
    parse_fdatasync(&String::from_utf8_lossy(&output.stdout))
}

fn parse_fdatasync(output: &str) -> Option<f64> {
    let line = output
        .lines()
        .find(|line| line.trim_start().starts_with("fdatasync"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Where the newest PostgreSQL of Debian and Ubuntu keeps its programs, of those that have `program`.
pub fn newest_postgres(program: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    versions
        .flatten()
        .filter_map(|entry| {
            // As numbers: 9.6 is older than 15.
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join(program).exists())
        .max()
        .map(|(_, programs)| programs)
}

fn pg_test_fsync() -> Option<PathBuf> {
    let elsewhere = ["/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    newest_postgres("pg_test_fsync")
        .into_iter()
        .chain(elsewhere)
        .map(|directory| directory.join("pg_test_fsync"))
        .find(|path| path.exists())
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
