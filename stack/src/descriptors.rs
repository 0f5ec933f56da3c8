//! File descriptor limits (`RLIMIT_NOFILE`): each client connection takes a descriptor, and the usual soft
//! limit of 1024 (256 on macOS) only serves programs that use select().

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::sizes::Sizes;

/// Descriptors of one connection to the database: its socket, and those of the synchronous client's own
/// runtime (two pollers, a waker, a signal socket).
const DATABASE_CONNECTION: usize = 5;
/// `OPEN_MAX` of macOS.
const MACOS_OPEN_MAX: u64 = 10_240;
/// Descriptors of everything else: listeners, logs, the runtime, the admin listener's connections, a child
/// that is started.
const OTHERS: usize = 48;

/// Raises the soft limit to the hard one, and gives the limit that is in force now; none where the system
/// does not tell.
pub fn raise() -> Option<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    // macOS reports an unlimited hard limit that setrlimit refuses.
    let wanted = if cfg!(target_os = "macos") {
        hard.min(MACOS_OPEN_MAX)
    } else {
        hard
    }
    .max(soft);
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) => wanted,
        Err(_) => soft,
    };
    Some(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Raises the limit, and gives the number of client connections within it, with a warning when that number
/// is less than `connections_max`. The other descriptors stay free: while clients hold every one, the
/// database cannot be reached again and `/live` cannot be asked.
#[must_use]
pub fn raise_for(sizes: &Sizes) -> usize {
    let Some(limit) = raise() else {
        return sizes.connections_max;
    };
    let served = connections(limit, sizes);
    if served < sizes.connections_max {
        let needed = sizes.connections_max.saturating_add(reserved(sizes));
        tracing::warn!(
            limit,
            needed,
            served,
            "too few file descriptors for MAX_CONNECTIONS: fewer clients are served at once; raise the \
             limit (ulimit -n {needed}) or lower MAX_CONNECTIONS to {served}"
        );
    }
    served
}

/// Client connections within `limit` descriptors; at least one, so that the server serves at all.
fn connections(limit: usize, sizes: &Sizes) -> usize {
    limit
        .saturating_sub(reserved(sizes))
        .clamp(1, sizes.connections_max.max(1))
}

fn reserved(sizes: &Sizes) -> usize {
    sizes.pool() * DATABASE_CONNECTION + OTHERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_leave_descriptors_to_the_database_and_to_operators() {
        let sizes = Sizes {
            workers_create: 2,
            workers_find: 2,
            workers_search: 2,
            ..Sizes::default()
        };
        assert_eq!(connections(128, &sizes), 128 - 8 * 5 - 48);
        assert_eq!(connections(1_048_576, &sizes), 10_000);
        assert_eq!(connections(64, &sizes), 1);
    }
}
