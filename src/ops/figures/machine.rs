//! The processors: those of the machine, or the share of them that the control group leaves.

use serde::{Deserialize, Serialize};

/// The machine that the server runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that this process may use: the machine's, or the control group's quota.
    pub cpus: f64,
    /// Time that all cores of the machine were busy, whoever used them.
    pub busy_seconds: f64,
    /// Time that the control group was held back by its quota; none without one.
    pub throttled_seconds: Option<f64>,
}

#[cfg(target_os = "linux")]
impl Machine {
    /// As it is now; none where the system does not say.
    pub(in crate::ops) fn read() -> Option<Self> {
        use procfs::{CurrentSI, KernelStats};

        let total = KernelStats::current().ok()?.total;
        let busy = total.user
            + total.nice
            + total.system
            + total.irq.unwrap_or(0)
            + total.softirq.unwrap_or(0)
            + total.steal.unwrap_or(0);
        let cores = num_cpus::get() as f64;
        let group = cgroup::Group::own();
        Some(Self {
            cpus: (group.as_ref())
                .and_then(cgroup::Group::quota_cpus)
                .map_or(cores, |quota| quota.min(cores)),
            busy_seconds: busy as f64 / procfs::ticks_per_second() as f64,
            throttled_seconds: group.and_then(|group| group.throttled_seconds()),
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

        /// The least quota on the way up, in cores; none without one.
        pub(super) fn quota_cpus(&self) -> Option<f64> {
            let quotas = (self.folder.ancestors())
                .filter_map(|folder| fs::read_to_string(folder.join("cpu.max")).ok())
                .filter_map(|text| {
                    let (quota, period) = text.trim().split_once(' ')?;
                    // `max` is no number.
                    Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
                });
            quotas.min_by(f64::total_cmp)
        }

        /// Time that the group was held back; none where its quota is not counted.
        pub(super) fn throttled_seconds(&self) -> Option<f64> {
            self.quota_cpus()?;
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
        let stat = "usage_usec 9\nnr_throttled 3\nthrottled_usec 1500000\n";
        fs::write(group.join("cpu.stat"), stat).unwrap();
        let limited = cgroup::Group::at(group);
        assert_eq!(limited.quota_cpus(), Some(0.25));
        assert_eq!(limited.throttled_seconds(), Some(1.5));
        let free = cgroup::Group::at(root.clone());
        assert_eq!((free.quota_cpus(), free.throttled_seconds()), (None, None));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn this_machine_is_busy() {
        let machine = Machine::read().unwrap();
        assert!(
            machine.cpus > 0.0 && machine.busy_seconds > 0.0,
            "{machine:?}"
        );
    }
}
