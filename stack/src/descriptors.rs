//! File descriptor limits (`RLIMIT_NOFILE`): each client connection takes a descriptor, and the usual soft
//! limit of 1024 (256 on macOS) only serves programs that use select().

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// `OPEN_MAX` of macOS.
const MACOS_OPEN_MAX: u64 = 10_240;

/// Raises the soft limit to the hard one, and gives the limit that is in force now; none where the system
/// gives no figure.
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
