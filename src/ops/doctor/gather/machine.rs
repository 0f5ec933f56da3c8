//! What the doctor's own machine shows: modes of files, the embedded stack's disk and processes, addresses of names.

use std::fs;
use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::sys::statvfs::statvfs;
use warrior_stack::{Running, layout, proc};

use super::super::evidence::Files;
use super::super::place::Place;
use crate::config::{Database, DoctorArgs};

pub(super) fn look(args: &DoctorArgs, place: &Place) -> Files {
    let Some(stack) = &place.stack else {
        return Files {
            open: args.open_secrets(),
            ..Files::default()
        };
    };
    Files {
        open: open_paths(stack),
        disk: statvfs(&stack.logins.data).ok().map(|disk| {
            // Blocks have these types on one system and others on the next.
            #[allow(clippy::useless_conversion, reason = "u32 on macOS")]
            let bytes = |blocks| u64::from(blocks) * u64::from(disk.fragment_size());
            (bytes(disk.blocks_available()), bytes(disk.blocks()))
        }),
        pooler_ini: fs::read_to_string(layout::pooler_ini(&stack.logins.data)).ok(),
        pooler_descriptors: stack.pooler.and_then(proc::descriptors_max),
    }
}

/// The paths of a stack that are open to more than its user.
fn open_paths(stack: &Running) -> Vec<PathBuf> {
    let is_open = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    };
    stack.private_paths().into_iter().filter(is_open).collect()
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
    use super::is_private;

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
