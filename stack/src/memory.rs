//! Memory limits: the machine's memory, and the limit of the control group.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use crate::proc_lines;

const MIB: u64 = 1024 * 1024;
/// Assumed where the system gives no figure: the memory of the smallest sensible machine.
const ASSUMED_BYTES: u64 = 1024 * MIB;

/// Bytes that this process may use: the machine's, or less when a control group says so. Read once, so that all
/// shares are of one figure, and a figure that has to be assumed leaves one warning.
pub fn limit_bytes() -> u64 {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    *LIMIT.get_or_init(read_limit_bytes)
}

fn read_limit_bytes() -> u64 {
    let machine = machine_bytes();
    let group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|groups| group_bytes(&groups, Path::new("/sys/fs/cgroup")));
    match (machine, group) {
        (Some(machine), Some(group)) => machine.min(group),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => {
            tracing::warn!(
                assumed_mib = ASSUMED_BYTES / MIB,
                "the memory of this machine is unknown, since neither the system nor a control group gives a figure; \
                 1 GiB is assumed: set MEMORY_LIMIT_MIB to what the server may use"
            );
            ASSUMED_BYTES
        }
    }
}

/// Bytes of memory that the machine has.
#[cfg(target_os = "linux")]
pub fn machine_bytes() -> Option<u64> {
    mem_total_bytes(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// `MemTotal` of `/proc/meminfo`, which counts in units of 1024 bytes.
#[cfg(target_os = "linux")]
fn mem_total_bytes(meminfo: &str) -> Option<u64> {
    let kib: u64 = proc_lines::value(meminfo, "MemTotal")?
        .strip_suffix("kB")?
        .trim_end()
        .parse()
        .ok()?;
    kib.checked_mul(1024)
}

/// Bytes of memory that the machine has.
#[cfg(not(target_os = "linux"))]
pub fn machine_bytes() -> Option<u64> {
    let output = std::process::Command::new("/usr/sbin/sysctl")
        .args(["-n", "hw.memsize"])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The least limit of the group and its ancestors. Where there is no limit, version 2 writes `max`, which is no
/// number, and version 1 a number near 2^63, which is larger than any machine.
fn group_bytes(groups: &str, root: &Path) -> Option<u64> {
    groups
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let (mount, file) = match controllers {
                "" => (root.to_owned(), "memory.max"),
                c if c.split(',').any(|c| c == "memory") => {
                    (root.join("memory"), "memory.limit_in_bytes")
                }
                _ => return None,
            };
            Path::new(path.trim_start_matches('/'))
                .ancestors()
                .filter_map(|group| fs::read_to_string(mount.join(group).join(file)).ok())
                .filter_map(|text| text.trim().parse().ok())
                .min()
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("warrior-cgroup-{}", uuid::Uuid::new_v4()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_2_takes_the_least_limit_on_the_way_up() {
        let root = tree(&[
            ("a/b/memory.max", "max\n"),
            ("a/memory.max", "536870912\n"),
            ("memory.max", "1073741824\n"),
        ]);
        assert_eq!(group_bytes("0::/a/b\n", &root), Some(512 * MIB));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn version_1_reads_its_memory_controller_alone() {
        let root = tree(&[("memory/c/memory.limit_in_bytes", "268435456\n")]);
        let groups = "5:cpu,cpuacct:/c\n4:memory:/c\n0::/\n";
        assert_eq!(group_bytes(groups, &root), Some(256 * MIB));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn no_limit_is_none() {
        let root = tree(&[("memory.max", "max\n")]);
        assert_eq!(group_bytes("0::/\n", &root), None);
        fs::remove_dir_all(root).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_line_of_a_reduced_meminfo_is_enough() {
        let gvisor = "MemTotal:        2097152 kB\nMemFree:         1048576 kB\n";
        assert_eq!(mem_total_bytes(gvisor), Some(2048 * MIB));
        assert_eq!(mem_total_bytes("MemFree: 1 kB\n"), None);
        assert_eq!(mem_total_bytes("MemTotal: much\n"), None);
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(limit_bytes() > MIB);
    }
}
