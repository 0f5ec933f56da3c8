//! What the doctor's own machine shows: modes of files, the embedded stack's disk and processes, addresses of names.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::sys::statvfs::statvfs;
use warrior_stack::{layout, proc};

use super::super::evidence::Files;
use super::super::finding::Unseen;
use super::super::place::Place;
use crate::config::{Database, DoctorArgs};

/// The disk of the database.
pub(in crate::ops::doctor) const DISK: &str = "the space on the database's disk";
const MODE: &str = "who can read a file of secrets";

pub(super) fn look(args: &DoctorArgs, place: &Place) -> Files {
    let Some(stack) = &place.stack else {
        return Files {
            open: args.open_secrets(),
            ..Files::default()
        };
    };
    let data = &stack.logins.data;
    let (open, mut unseen) = open_paths(stack.private_paths());
    let disk = statvfs(data).map(|disk| {
        // Blocks have these types on one system and others on the next.
        #[allow(clippy::useless_conversion, reason = "u32 on macOS")]
        let bytes = |blocks| u64::from(blocks) * u64::from(disk.fragment_size());
        (bytes(disk.blocks_available()), bytes(disk.blocks()))
    });
    if let Err(e) = disk {
        unseen.push(Unseen::new(
            DISK,
            format!("{}: {}", data.display(), e.desc()),
        ));
    }
    Files {
        open,
        disk: disk.ok(),
        pooler_ini: fs::read_to_string(layout::pooler_ini(data)).ok(),
        pooler_descriptors: stack.pooler.and_then(proc::descriptors_max),
        unseen,
    }
}

/// Those of these paths that are open to more than their user, and those that cannot be looked at. A file that is not
/// there can be read by nobody.
fn open_paths(paths: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<Unseen>) {
    let (mut open, mut unseen) = (Vec::new(), Vec::new());
    for path in paths {
        match path.metadata() {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => open.push(path),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => unseen.push(Unseen::new(MODE, format!("{}: {e}", path.display()))),
        }
    }
    (open, unseen)
}

/// Whether the host has an address that is neither loopback nor private; a name without an address is nothing to warn of.
pub(super) fn is_public(database: &Database) -> bool {
    (database.host.as_str(), database.port)
        .to_socket_addrs()
        .is_ok_and(|mut addresses| addresses.any(|address| !is_private(address.ip())))
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;

    use super::{is_private, open_paths};

    #[test]
    fn a_path_that_cannot_be_looked_at_is_not_called_closed() {
        let name = format!("warrior-doctor-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        File::create(&file).expect("a file can be made");
        // A file is no folder, so nothing below it can be looked at, by root neither.
        let below = file.join("secret");
        let (open, unseen) = open_paths(vec![below, PathBuf::from("/nowhere/at/all")]);
        fs::remove_file(&file).expect("it can be removed");
        assert_eq!((open.len(), unseen.len()), (0, 1), "{unseen:?}");
        assert!(unseen[0].essential && unseen[0].why.contains("secret"));
    }

    #[test]
    fn loopback_and_private_networks_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.18.0.4",
            "192.168.0.1",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "2001:db8::1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
