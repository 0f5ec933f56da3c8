//! Request parsing of a create: its body, and its Idempotency-Key.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;

use super::problem::Problem;
use crate::http::members;
use crate::warrior::{NewWarrior, Rejection};

const KEY: &str = "idempotency-key";

/// A warrior to be stored, and the client's key, if it sent one.
#[derive(Debug, PartialEq, Eq)]
pub struct Create {
    /// `Idempotency-Key`.
    pub key: Option<String>,
    /// The body, shared with the lane that stores it.
    pub warrior: Arc<NewWarrior>,
}

/// Reads a create.
///
/// # Errors
/// The problem that its client gets instead.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Create, Problem> {
    let encodings = headers.get_all(CONTENT_ENCODING).iter();
    if members(encodings.map(AsRef::as_ref)).any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
    {
        return Err(Problem::UnsupportedEncoding);
    }
    let key = idempotency_key(headers)?;
    let warrior = NewWarrior::parse(body).map_err(|rejection| match rejection {
        Rejection::Malformed(why) => Problem::MalformedBody(why),
        Rejection::Invalid(errors) => Problem::InvalidWarrior(errors),
    })?;
    Ok(Create {
        key,
        warrior: Arc::new(warrior),
    })
}

/// Whether a create has a key, right or wrong.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(KEY)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let (Some(key), more) = (keys.next(), keys.next()) else {
        return Ok(None);
    };
    let visible = key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(text) if visible && more.is_none() && (16..=255).contains(&text.len()) => {
            Ok(Some(text.to_owned()))
        }
        _ => Err(Problem::BadRequest(
            "Send one Idempotency-Key of 16 to 255 visible ASCII characters, without spaces."
                .to_owned(),
        )),
    }
}
