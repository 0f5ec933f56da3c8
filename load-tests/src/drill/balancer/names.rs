//! A name server in the place of the container engine's: every name is at the same addresses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it looks whether it should end.
const POLL: Duration = Duration::from_millis(100);
/// Longest query: what fits into a datagram of old.
const QUERY_BYTES_MAX: usize = 512;
const HEADER_BYTES: usize = 12;
/// Type A, class IN.
const ADDRESS: [u8; 4] = [0, 1, 0, 1];
/// A pointer to the name of the query, type A, class IN, a second to live, four bytes.
const RECORD: [u8; 12] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4];

/// A name server; it ends when dropped.
pub(super) struct Names {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    /// Answers at this address, in the namespace of the calling thread.
    pub(super) fn serve(at: SocketAddr, addresses: Vec<Ipv4Addr>) -> io::Result<Names> {
        let socket = UdpSocket::bind(at)?;
        socket.set_read_timeout(Some(POLL))?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut query = [0; QUERY_BYTES_MAX];
            while !told.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut query) else {
                    continue;
                };
                if let Some(answer) = answer(&query[..length], &addresses) {
                    // Who gets no answer asks again.
                    socket.send_to(&answer, from).ok();
                }
            }
        });
        let thread = Some(thread);
        Ok(Names { stop, thread })
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// The answer to a query of one name; without an address where another type is asked for.
fn answer(query: &[u8], addresses: &[Ipv4Addr]) -> Option<Vec<u8>> {
    let mut end = HEADER_BYTES;
    while *query.get(end)? > 0 {
        end += 1 + usize::from(query[end]);
    }
    let asked = query.get(end + 1..end + 5)?;
    let found = match asked == ADDRESS {
        true => addresses,
        false => &[],
    };
    let mut answer = query[..2].to_vec();
    // A response, authoritative, recursion as asked for and available, no error; one question, and what follows.
    answer.extend([
        0x85,
        0x80,
        0,
        1,
        0,
        u8::try_from(found.len()).ok()?,
        0,
        0,
        0,
        0,
    ]);
    answer.extend(&query[HEADER_BYTES..end + 5]);
    for address in found {
        answer.extend(RECORD);
        answer.extend(address.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(kind: u8) -> Vec<u8> {
        let header = [7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        [&header[..], b"\x03api\x00", &[0, kind, 0, 1], b"\x00more"].concat()
    }

    #[test]
    fn an_address_is_answered_and_another_type_has_none() {
        let at = [Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 1, 2)];
        let found = answer(&query(1), &at).expect("a query");
        assert_eq!(found[..8], [7, 9, 0x85, 0x80, 0, 1, 0, 2]);
        assert_eq!(found[12..21], *b"\x03api\x00\x00\x01\x00\x01");
        assert_eq!(found[found.len() - 4..], [127, 0, 1, 2]);
        let none = answer(&query(28), &at).expect("a query");
        assert_eq!((none[7], none.len()), (0, 21));
        assert_eq!(answer(&query(1)[..14], &at), None);
    }
}
