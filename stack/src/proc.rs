//! The process table, as the system shows them: alive, started when, with which arguments.
//!
//! The source is `/proc` on Linux. On macOS, only signal 0 and `ps` can be asked.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Whether `pid` runs, under any user. A zombie has ended: a process 1 that reaps no orphans keeps it for ever.
pub fn is_alive(pid: u32) -> bool {
    is_taken(pid) && system::is_zombie(pid) != Some(true)
}

/// The processes whose parent `pid` is; empty where the system has no list.
pub fn children(pid: u32) -> Vec<u32> {
    system::children(pid)
}

/// How many file descriptors the process may open; none where the system does not say.
pub fn descriptors_max(pid: u32) -> Option<u64> {
    system::descriptors_max(pid)
}

/// Whether there is a process `pid`, be it a zombie.
pub(crate) fn is_taken(pid: u32) -> bool {
    kill(as_pid(pid), None) != Err(Errno::ESRCH)
}

/// When the process started, in ticks since the machine did; none where the system gives no time.
pub(crate) fn started(pid: u32) -> Option<u64> {
    system::started(pid)
}

/// Whether `argument`, an absolute path, stands in the command line of the process.
pub(crate) fn has_argument(pid: u32, argument: &Path) -> bool {
    system::has_argument(pid, &argument.to_string_lossy())
}

/// Whether the working directory of the process is `folder`.
pub(crate) fn works_in(pid: u32, folder: &Path) -> bool {
    system::works_in(pid, folder)
}

pub(crate) fn as_pid(pid: u32) -> Pid {
    // Process ids are positive i32 on every system we run on; 0 and negative ones would mean groups.
    Pid::from_raw(
        i32::try_from(pid)
            .ok()
            .filter(|p| *p > 0)
            .unwrap_or(i32::MAX),
    )
}

#[cfg(target_os = "linux")]
mod system {
    use std::path::Path;

    use procfs::process::{LimitValue, Process, Stat, all_processes};

    pub(super) fn is_zombie(pid: u32) -> Option<bool> {
        stat(pid).map(|stat| matches!(stat.state, 'Z' | 'X'))
    }

    pub(super) fn started(pid: u32) -> Option<u64> {
        stat(pid).map(|stat| stat.starttime)
    }

    pub(super) fn children(pid: u32) -> Vec<u32> {
        let stats = all_processes()
            .into_iter()
            .flatten()
            .filter_map(|process| process.ok()?.stat().ok());
        stats
            .filter(|stat| u32::try_from(stat.ppid) == Ok(pid))
            .filter_map(|stat| u32::try_from(stat.pid).ok())
            .collect()
    }

    pub(super) fn descriptors_max(pid: u32) -> Option<u64> {
        match process(pid)?.limits().ok()?.max_open_files.soft_limit {
            LimitValue::Value(limit) => Some(limit),
            LimitValue::Unlimited => None,
        }
    }

    pub(super) fn has_argument(pid: u32, argument: &str) -> bool {
        let line = process(pid).and_then(|process| process.cmdline().ok());
        line.is_some_and(|words| words.iter().any(|word| word == argument))
    }

    pub(super) fn works_in(pid: u32, folder: &Path) -> bool {
        let cwd = process(pid).and_then(|process| process.cwd().ok());
        cwd.is_some_and(|cwd| cwd == folder)
    }

    fn stat(pid: u32) -> Option<Stat> {
        process(pid)?.stat().ok()
    }

    fn process(pid: u32) -> Option<Process> {
        Process::new(i32::try_from(pid).ok()?).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;
    use std::process::Command;

    pub(super) fn is_zombie(_: u32) -> Option<bool> {
        None
    }

    pub(super) fn started(_: u32) -> Option<u64> {
        None
    }

    pub(super) fn children(_: u32) -> Vec<u32> {
        Vec::new()
    }

    pub(super) fn descriptors_max(_: u32) -> Option<u64> {
        None
    }

    /// The path is absolute, so finding it anywhere in the line is proof enough.
    pub(super) fn has_argument(pid: u32, argument: &str) -> bool {
        Command::new("ps")
            .args(["-o", "args=", "-p", &pid.to_string()])
            .output()
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(argument))
    }

    pub(super) fn works_in(_: u32, _: &Path) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_zombie_has_ended_and_is_still_a_child() {
        let mut child = Command::new("true").spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while is_alive(child.id()) {
            assert!(Instant::now() < deadline, "it still runs");
            std::thread::yield_now();
        }
        // Before a wait for the child, its id is still taken.
        assert!(is_taken(child.id()));
        if cfg!(target_os = "linux") {
            assert!(children(std::process::id()).contains(&child.id()));
        }
        child.wait().unwrap();
    }

    #[test]
    fn a_process_is_known_by_its_arguments_and_its_folder() {
        let own = std::process::id();
        let program = std::env::current_exe().unwrap();
        let folder = std::env::current_dir().unwrap();
        assert!(!has_argument(own, &program.with_file_name("another")));
        if cfg!(target_os = "linux") {
            assert!(has_argument(
                own,
                Path::new(&std::env::args().next().unwrap())
            ));
            assert!(works_in(own, &folder) && !works_in(own, Path::new("/nowhere")));
        }
    }
}
