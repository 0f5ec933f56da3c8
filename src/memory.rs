//! Memory budgets: the shares of connections, answers and waiting requests in the process's memory.

const KIB: usize = 1024;
const MIB: u64 = 1024 * 1024;
/// Bytes of one client connection at worst, measured: a stalled body of 64 KiB and hyper's buffers. Bounds the
/// connections that fit into their half of the memory. A connection that is answered holds no body; the kernel's
/// send buffer takes its place.
const CONNECTION_BYTES: u64 = 80 * KIB as u64;
/// Bounds [`Memory::answers`], in bytes: one answer of the largest there are fits in any case, and more than
/// this would only serve clients that do not read.
const ANSWERS_BYTES: std::ops::RangeInclusive<u64> = 2 * MIB..=256 * MIB;
/// Bounds [`Memory::send_buffer`], in bytes. Beyond the most, a client so far away is its proxy's business.
const SEND_BUFFER_BYTES: std::ops::RangeInclusive<usize> = 16 * KIB..=256 * KIB;

/// The memory of a server, shared out. Half of it is for connections, a sixteenth for answers, half as much for
/// requests that wait, and the rest for the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Most client connections at once.
    pub connections: usize,
    /// The kernel's send buffer of each, in bytes; it takes twice as much for its own bookkeeping.
    pub send_buffer: usize,
    /// Bytes of answers, from the first row read to the last byte taken by the client.
    pub answers: usize,
    /// Bytes of requests that wait in queues.
    pub requests: usize,
}

impl Memory {
    /// Shares out `limit` bytes among at most `connections_max` connections.
    #[must_use]
    pub fn share(limit: u64, connections_max: usize) -> Self {
        let fit = usize::try_from(limit / 2 / CONNECTION_BYTES).unwrap_or(usize::MAX);
        let connections = connections_max.min(fit).max(1);
        let each = usize::try_from(limit / 2).unwrap_or(usize::MAX) / connections;
        let answers = (limit / 16).clamp(*ANSWERS_BYTES.start(), *ANSWERS_BYTES.end());
        let answers = usize::try_from(answers).unwrap_or(usize::MAX);
        Self {
            connections,
            send_buffer: (each / 8 * 3).clamp(*SEND_BUFFER_BYTES.start(), *SEND_BUFFER_BYTES.end()),
            answers,
            requests: answers / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_answers_and_requests_fit_together() {
        let small = Memory::share(64 * MIB, 400);
        assert_eq!(small.connections, 400);
        assert_eq!((small.answers, small.requests), (4 << 20, 2 << 20));
        assert!((24..40).contains(&(small.send_buffer / KIB)), "{small:?}");
        let tiny = Memory::share(16 * MIB, 400);
        assert_eq!((tiny.connections, tiny.answers), (102, 2 << 20));
        let large = Memory::share(64 * 1024 * MIB, 10_000);
        assert_eq!(large.connections, 10_000);
        assert_eq!((large.answers, large.send_buffer), (256 << 20, 256 * KIB));
        assert_eq!(Memory::share(0, 10).connections, 1);
    }
}
