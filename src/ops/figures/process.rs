//! This process, as the system counts it.

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
    /// Open file descriptors.
    pub descriptors: u64,
    /// Most of them.
    pub descriptors_max: u64,
    /// Threads.
    pub threads: u64,
    /// When it started, in seconds since 1970.
    pub start_time_seconds: f64,
}

impl Process {
    /// As it is now; none where the system does not say.
    #[cfg(target_os = "linux")]
    pub(in crate::ops) fn read(memory_limit_bytes: u64) -> Option<Self> {
        use procfs::process::{LimitValue, Process as Entry};

        let own = Entry::myself().ok()?;
        let stat = own.stat().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        Some(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: stat.rss.saturating_mul(procfs::page_size()),
            memory_limit_bytes: Some(memory_limit_bytes),
            descriptors: own.fd_count().ok()? as u64,
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
    pub(in crate::ops) fn read(_: u64) -> Option<Self> {
        None
    }
}
