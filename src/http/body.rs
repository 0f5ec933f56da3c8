//! Request bodies, bounded in size and in time.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::timeout;

/// Largest request body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;
/// Longest time for a request's body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a request has no body that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// More than this many bytes.
    TooLarge(usize),
    /// Not whole within this time.
    TooSlow(Duration),
    /// Broken chunks, or a client that left; hyper closes the connection after the answer.
    Broken(String),
}

impl BodyError {
    /// Whether the rest of the body is still to come, which is not worth reading.
    pub(super) fn leaves_rest(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::TooSlow(_))
    }
}

/// Reads a body whole. A declared length that is too large is refused before a byte is read, and
/// before a client that expects `100 Continue` goes on.
pub(super) async fn read(body: Incoming) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(BodyError::TooLarge(BODY_MAX));
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(BodyError::TooLarge(BODY_MAX)),
        Ok(Err(e)) => Err(BodyError::Broken(e.to_string())),
        Err(_) => Err(BodyError::TooSlow(BODY_TIMEOUT)),
    }
}
