//! Response rendering: results as status, headers and JSON.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use crate::warrior::NewWarrior;

/// `201` with the warrior and its path.
pub(super) fn created(id: Uuid, warrior: &NewWarrior) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: Uuid,
        #[serde(flatten)]
        warrior: &'a NewWarrior,
    }
    let mut response = json_bytes(Bytes::from(json(&Body { id, warrior })));
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&location(id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `200` with the number of warriors.
pub(super) fn count(count: i64) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Body {
        count: i64,
    }
    json_bytes(Bytes::from(json(&Body { count })))
}

/// `200` with bytes that are JSON already.
pub(super) fn json_bytes(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The path of the warrior with this id.
pub(super) fn location(id: Uuid) -> String {
    format!("/warrior/{id}")
}

/// JSON of a value, whose keys are strings and whose serializer cannot fail.
///
/// # Panics
/// When it is no such value: the caller guards it, so that its client gets an answer that says so, and never an empty
/// one.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    serde_json::to_vec(value).expect("string keys, and a serializer that cannot fail")
}
