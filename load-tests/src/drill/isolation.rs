//! Isolation: a network and mounts of a drill's own, for packet filters, small disks and names.
//!
//! Linux gives namespaces to threads: what the calling thread starts afterwards, threads and processes, lives in them, and
//! they vanish with the last of it. So nothing outside is touched, and a drill that is killed leaves nothing behind.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;

/// The name that a drill looks PgBouncer up by.
pub(super) const POOLER_NAME: &str = "pooler.drill";
/// The port of that name, at whatever address.
pub(super) const POOLER_PORT: u16 = 6432;
/// Where a small disk is mounted: a folder that every system has, hidden in this namespace alone.
pub(super) const SMALL_DISK: &str = "/mnt";

/// Packets that are dropped, seen from the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    There,
    Back,
    Both,
}

/// Whether this user may make namespaces.
pub(super) fn is_possible() -> bool {
    geteuid().is_root()
}

/// Moves the calling thread into namespaces of its own, whose loopback is up.
pub(super) fn enter() -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .context("the kernel makes no namespaces; run drills that need them as root, outside of a confined container")?;
    // Mounts must not spread to the namespace that this one was copied from.
    execute("mount", &["--make-rprivate", "/"], "")?;
    execute("ip", &["link", "set", "lo", "up"], "")
}

/// Drops packets of TCP to or from a port.
pub(super) fn drop_packets(port: u16, direction: Direction) -> anyhow::Result<()> {
    filter(port, direction, "drop")
}

/// Drops a share of them, at random.
pub(super) fn lose_packets(port: u16, percent: u32) -> anyhow::Result<()> {
    let rule = format!("numgen random mod 100 < {percent} drop");
    filter(port, Direction::Both, &rule)
}

/// Lets all packets pass again.
pub(super) fn pass_packets() -> anyhow::Result<()> {
    execute("nft", &["delete", "table", "inet", "drill"], "")
}

fn filter(port: u16, direction: Direction, rule: &str) -> anyhow::Result<()> {
    let ports: &[&str] = match direction {
        Direction::There => &["dport"],
        Direction::Back => &["sport"],
        Direction::Both => &["dport", "sport"],
    };
    let rules: String = (ports.iter())
        .map(|side| format!("        tcp {side} {port} {rule}\n"))
        .collect();
    let table = format!(
        "table inet drill {{\n    chain packets {{\n        type filter hook input priority 0; policy accept;\n\
         {rules}    }}\n}}\n"
    );
    execute("nft", &["-f", "-"], &table)
}

/// Mounts a file system in memory of so many MiB at [`SMALL_DISK`], which belongs to the owner of `like`.
pub(super) fn small_disk(mib: u32, like: &Path) -> anyhow::Result<()> {
    let owner = fs::metadata(like).with_context(|| like.display().to_string())?;
    let options = format!(
        "size={mib}m,mode=0700,uid={},gid={}",
        owner.uid(),
        owner.gid()
    );
    execute(
        "mount",
        &["-t", "tmpfs", "-o", &options, "tmpfs", SMALL_DISK],
        "",
    )
}

/// Has [`POOLER_NAME`] resolve to an address. `file` is where the names of this namespace are kept.
pub(super) fn resolve(file: &Path, address: &str) -> anyhow::Result<()> {
    let bound = file.exists();
    let text = format!("127.0.0.1 localhost\n{address} {POOLER_NAME}\n");
    // Written in place: a new file would not be the one that is mounted.
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    if !bound {
        let file = file.to_str().context("a path that is no text")?;
        execute("mount", &["--bind", file, "/etc/hosts"], "")?;
    }
    Ok(())
}

/// Runs a program of the system to its end.
fn execute(program: &str, arguments: &[&str], input: &str) -> anyhow::Result<()> {
    let missing = || format!("cannot run {program}; sudo apt-get install iproute2 nftables mount");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(missing)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that has ended says why itself.
        pipe.write_all(input.as_bytes()).ok();
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {}: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}
