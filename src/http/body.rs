//! Request bodies, bounded in size and in time.

use std::time::Duration;

use http_body_util::BodyExt;
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
    timeout(BODY_TIMEOUT, copied(body))
        .await
        .unwrap_or(Err(Fault::BodyTooSlow(BODY_TIMEOUT)))
}

/// Copies the frames of a body into one buffer. Each frame is a part of hyper's read buffer: one that were kept would keep the
/// 8 KiB of its read, for a single byte, too.
async fn copied(mut body: Incoming) -> Result<Bytes, Fault> {
    let length = body.size_hint().exact().unwrap_or(BODY_MAX as u64);
    let mut whole = Vec::with_capacity(usize::try_from(length).unwrap_or(BODY_MAX));
    while let Some(frame) = body.frame().await {
        // hyper closes the connection after the answer.
        let frame = frame.map_err(|_| Fault::BrokenBody)?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        if whole.len() + data.len() > BODY_MAX {
            return Err(Fault::BodyTooLarge(BODY_MAX));
        }
        whole.extend_from_slice(data);
    }
    Ok(whole.into())
}
