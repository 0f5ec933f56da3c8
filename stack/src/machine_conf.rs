//! The settings that are sized for the machine: port, shared buffers, connections.

use crate::connections::Connections;
use crate::memory;

/// The settings that depend on this machine and this start; PostgreSQL reads them after `postgresql.conf`.
pub(crate) fn machine_conf(port: u16, connections: Connections, full_size: bool) -> String {
    let memory = memory::limit_bytes() >> 20;
    let shared_buffers = shared_buffers_mib(memory, full_size);
    let max_connections = connections.postgres_connections();
    // macOS has no posix_fadvise, and PostgreSQL refuses a number of pages to advise about there.
    let io = if cfg!(target_os = "macos") {
        "effective_io_concurrency = 0\n"
    } else {
        ""
    };
    format!(
        "# Made by warrior-api at each start for this machine ({memory} MiB); changes are lost.\n\
         port = {port}\n\
         shared_buffers = {shared_buffers}MB\n\
         max_connections = {max_connections}\n\
         {io}"
    )
}

/// `shared_buffers`: a quarter of the memory, up to 16 GiB, beyond which the kernel's page cache does better.
/// A stack that stands beside others takes at most 256 MiB.
fn shared_buffers_mib(memory: u64, full_size: bool) -> u64 {
    let most = if full_size { 16 * 1024 } else { 256 };
    (memory / 4).clamp(32, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_buffers_are_a_quarter_within_bounds() {
        assert_eq!(shared_buffers_mib(2048, true), 512);
        assert_eq!(shared_buffers_mib(64, true), 32);
        assert_eq!(shared_buffers_mib(1_048_576, true), 16_384);
        assert_eq!(shared_buffers_mib(65_536, false), 256);
    }
}
