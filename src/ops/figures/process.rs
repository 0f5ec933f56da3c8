//! This process, as the system counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What this process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Processor time since it started.
    pub cpu_seconds: f64,
    /// Memory that it has now.
    pub resident_bytes: u64,
    /// Memory that the server may use.
    pub memory_limit_bytes: Option<u64>,
    /// Open file descriptors, as they were counted last.
    pub descriptors: u64,
    /// Most of them.
    pub descriptors_max: u64,
    /// Threads.
    pub threads: u64,
    /// When it started, in seconds since 1970.
    pub start_time_seconds: f64,
}

/// Open file descriptors of this process. To count them takes as long as there are many, so that one thread does, and all
/// others read its last count. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct OpenDescriptors(Arc<AtomicU64>);

impl OpenDescriptors {
    /// Counts them: one entry of `/proc/self/fd` after the other.
    pub(in crate::ops) fn count(&self) {
        #[cfg(target_os = "linux")]
        if let Ok(number) = procfs::process::Process::myself().and_then(|own| own.fd_count()) {
            self.0.store(number as u64, Ordering::Relaxed);
        }
    }

    fn last(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Process {
    /// As it is now; none where the system does not say.
    #[cfg(target_os = "linux")]
    pub(in crate::ops) fn read(
        memory_limit_bytes: u64,
        descriptors: &OpenDescriptors,
    ) -> Option<Self> {
        use procfs::process::{LimitValue, Process as Entry};

        let own = Entry::myself().ok()?;
        let stat = own.stat().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        Some(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: stat.rss.saturating_mul(procfs::page_size()),
            memory_limit_bytes: Some(memory_limit_bytes),
            descriptors: descriptors.last(),
            descriptors_max: match own.limits().ok()?.max_open_files.soft_limit {
                LimitValue::Value(most) => most,
                LimitValue::Unlimited => u64::MAX,
            },
            threads: u64::try_from(stat.num_threads).unwrap_or(0),
            start_time_seconds: procfs::boot_time_secs().ok()? as f64
                + stat.starttime as f64 / ticks,
        })
    }

    /// No figures without `/proc`.
    #[cfg(not(target_os = "linux"))]
    pub(in crate::ops) fn read(_: u64, _: &OpenDescriptors) -> Option<Self> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_those_of_the_last_count() {
        let descriptors = OpenDescriptors::default();
        let told = || Process::read(1, &descriptors.clone()).unwrap().descriptors;
        assert_eq!(told(), 0);
        descriptors.count();
        // Standard input, output and error.
        assert!(told() >= 3);
    }
}
