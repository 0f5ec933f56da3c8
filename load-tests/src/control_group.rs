//! Control groups of this program's own, of version 2 or 1: so much memory, or so many processors, for the processes in
//! them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The kernel's usual period of a quota, in microseconds.
const PERIOD_MICROS: f64 = 100_000.0;

/// What the processes of a group may use together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    MemoryBytes(u64),
    Cpus(f64),
}

impl Limit {
    /// The controller that keeps it.
    fn controller(self) -> &'static str {
        match self {
            Limit::MemoryBytes(_) => "memory",
            Limit::Cpus(_) => "cpu",
        }
    }

    /// The files of a group that say so, and what they hold.
    fn files(self, is_old: bool) -> Vec<(&'static str, String)> {
        let quota = |cpus: f64| (cpus * PERIOD_MICROS) as u64;
        match (self, is_old) {
            (Limit::MemoryBytes(bytes), true) => {
                vec![("memory.limit_in_bytes", bytes.to_string())]
            }
            (Limit::MemoryBytes(bytes), false) => vec![("memory.max", bytes.to_string())],
            (Limit::Cpus(cpus), true) => vec![
                ("cpu.cfs_period_us", PERIOD_MICROS.to_string()),
                ("cpu.cfs_quota_us", quota(cpus).to_string()),
            ],
            (Limit::Cpus(cpus), false) => {
                vec![("cpu.max", format!("{} {PERIOD_MICROS}", quota(cpus)))]
            }
        }
    }
}

/// A group, which is removed when dropped. One that still has processes stays, and is empty once they have ended.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    path: PathBuf,
}

impl ControlGroup {
    /// Makes it within the group of this process, so that whatever holds this one back holds for it, too.
    ///
    /// # Errors
    /// When the kernel, or this process's rights, make none.
    pub(crate) fn make(limit: Limit) -> anyhow::Result<ControlGroup> {
        let controller = limit.controller();
        ControlGroup::made(limit).with_context(|| {
            format!("cannot make a control group of {controller}; it takes root and a kernel with cgroups")
        })
    }

    fn made(limit: Limit) -> io::Result<ControlGroup> {
        let groups = fs::read_to_string("/proc/self/cgroup")?;
        let (path, is_old) = place(&groups, limit.controller(), std::process::id())
            .ok_or_else(|| io::Error::other("this process is in none"))?;
        fs::create_dir_all(&path)?;
        // From here on it is removed, also after an error.
        let group = ControlGroup { path };
        for (file, text) in limit.files(is_old) {
            fs::write(group.path.join(file), text)?;
        }
        Ok(group)
    }

    /// The file that takes the ids of processes into the group; what they start later is born there.
    pub(crate) fn entry(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        fs::remove_dir(&self.path).ok();
    }
}

/// Where a new group goes, by the text of `/proc/self/cgroup`; whether its kernel has the older hierarchy. In the newer
/// one a group with processes has no groups below it, so it goes beside this process's.
fn place(groups: &str, controller: &str, pid: u32) -> Option<(PathBuf, bool)> {
    let name = format!("warrior-load-{pid}");
    let lines = groups.lines().filter_map(|line| line.split_once(':'));
    let of = |controller: &str| {
        let mut named = lines.clone().filter_map(|(_, rest)| rest.split_once(':'));
        named.find(|(controllers, _)| controllers.split(',').any(|one| one == controller))
    };
    let root = Path::new("/sys/fs/cgroup");
    let below = |root: &Path, path: &str| root.join(path.trim_start_matches('/'));
    if let Some((_, path)) = of(controller) {
        return Some((below(&root.join(controller), path).join(name), true));
    }
    let (_, path) = of("")?;
    let own = below(root, path);
    let beside = if path == "/" {
        own.as_path()
    } else {
        own.parent()?
    };
    Some((beside.join(name), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_lies_within_or_beside_the_own_one() {
        for (groups, controller, group, is_old) in [
            (
                "5:cpu,cpuacct:/idle\n1:name=systemd:/x\n",
                "cpu",
                "/sys/fs/cgroup/cpu/idle/warrior-load-7",
                true,
            ),
            (
                "4:memory:/a/b\n0::/\n",
                "memory",
                "/sys/fs/cgroup/memory/a/b/warrior-load-7",
                true,
            ),
            ("0::/\n", "cpu", "/sys/fs/cgroup/warrior-load-7", false),
            (
                "0::/user.slice/a.scope\n",
                "memory",
                "/sys/fs/cgroup/user.slice/warrior-load-7",
                false,
            ),
        ] {
            let found = place(groups, controller, 7);
            assert_eq!(found, Some((PathBuf::from(group), is_old)), "{groups}");
        }
        assert_eq!(place("3:cpuset:/\n", "cpu", 7), None);
    }

    #[test]
    fn a_limit_is_written_as_each_version_reads_it() {
        let written = |limit: Limit, is_old| -> Vec<String> {
            let files = limit.files(is_old).into_iter();
            files.map(|(file, text)| format!("{file}={text}")).collect()
        };
        let memory = Limit::MemoryBytes(64 << 20);
        assert_eq!(written(memory, true), ["memory.limit_in_bytes=67108864"]);
        assert_eq!(written(memory, false), ["memory.max=67108864"]);
        let cpus = Limit::Cpus(0.25);
        assert_eq!(
            written(cpus, true),
            ["cpu.cfs_period_us=100000", "cpu.cfs_quota_us=25000"]
        );
        assert_eq!(written(cpus, false), ["cpu.max=25000 100000"]);
    }
}
