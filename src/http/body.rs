//! Request bodies: whole, small and on time, or a problem.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::timeout;

use super::BODY_TIMEOUT;
use crate::api::Problem;

/// Largest request body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// Reads a body whole. A declared length that is too large is refused before a byte is read, and
/// before a client that expects `100 Continue` is told to go on.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Problem::BodyTooLarge(BODY_MAX));
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Problem::BodyTooLarge(BODY_MAX)),
        // Broken chunks, or a client that left: hyper closes the connection after this answer.
        Ok(Err(e)) => Err(Problem::BadRequest(format!(
            "The body cannot be read: {e}."
        ))),
        Err(_) => Err(Problem::BodyTimeout),
    }
}
