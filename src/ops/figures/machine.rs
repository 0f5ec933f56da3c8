//! The processors: those of the machine, and the share of them that the control group leaves this process.

use serde::{Deserialize, Serialize};

/// The machine that the server runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores of the machine.
    pub cores: f64,
    /// Cores that this process may use: the machine's, or the control group's quota.
    pub cpus: f64,
    /// Time that all cores of the machine were busy, whoever used them; to be compared with `cores`.
    pub busy_seconds: f64,
    /// Time that the control group with the least quota was held back by it; none without one.
    pub throttled_seconds: Option<f64>,
}

#[cfg(target_os = "linux")]
impl Machine {
    /// As it is now; none where the system does not say.
    pub(in crate::ops) fn read() -> Option<Self> {
        use procfs::{CurrentSI, KernelStats};

        let kernel = KernelStats::current().ok()?;
        let total = kernel.total;
        let busy = total.user
            + total.nice
            + total.system
            + total.irq.unwrap_or(0)
            + total.softirq.unwrap_or(0)
            + total.steal.unwrap_or(0);
        // Those whose time is in `total`: the number that a process may use is another.
        let cores = kernel.cpu_time.len() as f64;
        let quota = cgroup::Group::own().and_then(|group| group.least_quota());
        Some(Self {
            cores,
            cpus: quota.as_ref().map_or(cores, |quota| quota.cpus.min(cores)),
            busy_seconds: busy as f64 / procfs::ticks_per_second() as f64,
            throttled_seconds: quota.and_then(|quota| quota.throttled_seconds()),
        })
    }
}

#[cfg(not(target_os = "linux"))]
impl Machine {
    /// No figures without `/proc`.
    pub(in crate::ops) fn read() -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
mod cgroup {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The control group of this process, version 2, whose files lie in `folder` and in the folders above it.
    pub(super) struct Group {
        folder: PathBuf,
    }

    /// A limit of processor time, and the group that has it.
    pub(super) struct Quota {
        /// In cores.
        pub(super) cpus: f64,
        folder: PathBuf,
    }

    impl Group {
        /// None where there is no version 2.
        pub(super) fn own() -> Option<Self> {
            let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
            let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
            let folder = Path::new("/sys/fs/cgroup").join(path);
            Some(Self { folder })
        }

        #[cfg(test)]
        pub(super) fn at(folder: PathBuf) -> Self {
            Self { folder }
        }

        /// The least quota on the way up; none without one.
        pub(super) fn least_quota(&self) -> Option<Quota> {
            let quotas = self.folder.ancestors().filter_map(|folder| {
                let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
                let (quota, period) = text.trim().split_once(' ')?;
                // `max` is no number.
                let cpus = quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?;
                let folder = folder.to_owned();
                Some(Quota { cpus, folder })
            });
            quotas.min_by(|a, b| a.cpus.total_cmp(&b.cpus))
        }
    }

    impl Quota {
        /// Time that its group was held back; none where that is not counted.
        pub(super) fn throttled_seconds(&self) -> Option<f64> {
            let stat = fs::read_to_string(self.folder.join("cpu.stat")).ok()?;
            let value = |line: &str| line.strip_prefix("throttled_usec ")?.parse::<f64>().ok();
            Some(stat.lines().find_map(value)? / 1e6)
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_least_quota_counts() {
        let root = std::env::temp_dir().join(format!("warrior-cpu-{}", uuid::Uuid::new_v4()));
        let group = root.join("a/b");
        fs::create_dir_all(&group).unwrap();
        fs::write(root.join("cpu.max"), "max 100000\n").unwrap();
        fs::write(root.join("a/cpu.max"), "25000 100000\n").unwrap();
        fs::write(group.join("cpu.max"), "200000 100000\n").unwrap();
        // Each group counts what its own quota held up.
        let stat = |usec| format!("usage_usec 9\nnr_throttled 3\nthrottled_usec {usec}\n");
        fs::write(root.join("a/cpu.stat"), stat(1_500_000)).unwrap();
        fs::write(group.join("cpu.stat"), stat(7)).unwrap();
        let limit = cgroup::Group::at(group).least_quota().unwrap();
        assert_eq!((limit.cpus, limit.throttled_seconds()), (0.25, Some(1.5)));
        assert!(cgroup::Group::at(root.clone()).least_quota().is_none());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn this_machine_is_busy() {
        let machine = Machine::read().unwrap();
        assert!(
            machine.cpus > 0.0 && machine.cpus <= machine.cores && machine.busy_seconds > 0.0,
            "{machine:?}"
        );
    }
}
