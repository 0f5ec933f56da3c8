//! HTTP's own errors: requests that no listener can answer as they were meant.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::http::request::Parts;

/// What came over a connection.
#[derive(Debug)]
pub enum Received {
    /// A whole request.
    Request(Parts, Bytes),
    /// A request that cannot be taken, with its head where that could be read.
    Refused(Option<Parts>, Fault),
}

/// Why a request cannot be taken. After most of these the connection is closed, since it is not known where the next
/// request would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No request line, or no fields, as RFC 9112 writes them; or lengths that cannot be relied on.
    MalformedHead,
    /// A version of HTTP that is not spoken here.
    Version,
    /// Fields of more than this many bytes, with the request line, or more than hyper takes.
    HeadTooLarge(usize),
    /// A path and query of more than this many bytes.
    TargetTooLong(usize),
    /// A head that is not whole within this time.
    HeadTooSlow(Duration),
    /// No `Host`, more than one, or one that is no host and port.
    Host,
    /// A target with a host of its own, which is none.
    Authority,
    /// A transfer coding besides `chunked`.
    TransferCoding,
    /// More bytes of body than this many.
    BodyTooLarge(usize),
    /// A body that is not whole within this time.
    BodyTooSlow(Duration),
    /// Broken chunks, or a client that left.
    BrokenBody,
}

impl Fault {
    /// Whether the rest of the body is still to come, which is not worth reading.
    pub(super) fn leaves_rest(self) -> bool {
        !matches!(self, Self::BrokenBody)
    }
}
