//! File descriptors: one for each connection, and the usual soft limit of 1024 (256 on macOS) is only
//! there for programs that use select().

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors beside those of connections: listeners, logs, the runtime's own.
const OTHERS: u64 = 64;

/// Raises the soft limit to the hard one, and warns when that is less than `connections` need: then
/// the accept loop waits whenever the system has no more to give.
pub fn raise(connections: usize) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    // macOS reports an unlimited hard limit that setrlimit refuses; 10240 is its OPEN_MAX.
    let wanted = if cfg!(target_os = "macos") {
        hard.min(10_240)
    } else {
        hard
    }
    .max(soft);
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) => wanted,
        Err(_) => soft,
    };
    let needed = (connections as u64).saturating_add(OTHERS);
    if limit < needed {
        tracing::warn!(
            limit,
            needed,
            "fewer file descriptors than connections: raise the limit (ulimit -n {needed}) or lower \
             MAX_CONNECTIONS"
        );
    }
}
