//! Request bodies, bounded in size and in time.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::timeout;

use super::fault::Fault;

/// Largest request body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;
/// Longest time for a request's body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a body whole. A declared length that is too large is refused before a byte is read, and
/// before a client that expects `100 Continue` goes on.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Fault> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Fault::BodyTooLarge(BODY_MAX));
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Fault::BodyTooLarge(BODY_MAX)),
        // hyper closes the connection after the answer.
        Ok(Err(_)) => Err(Fault::BrokenBody),
        Err(_) => Err(Fault::BodyTooSlow(BODY_TIMEOUT)),
    }
}
