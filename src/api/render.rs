//! Results as responses.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use crate::warrior::NewWarrior;

/// `201` with the warrior and where it is.
pub(super) fn created(id: Uuid, warrior: &NewWarrior) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: Uuid,
        #[serde(flatten)]
        warrior: &'a NewWarrior,
    }
    let mut response = ok(&Body { id, warrior });
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&location(id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `200` with how many warriors there are.
pub(super) fn count(count: i64) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Body {
        count: i64,
    }
    ok(&Body { count })
}

/// `200` with `body` as JSON.
pub(super) fn ok(body: &(impl Serialize + ?Sized)) -> Response<Full<Bytes>> {
    json_bytes(Bytes::from(json(body)))
}

/// `200` with bytes that are JSON already.
pub(super) fn json_bytes(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Where the warrior with this id is.
pub(super) fn location(id: Uuid) -> String {
    format!("/warrior/{id}")
}

/// JSON of a value that always has one: string keys, no failing serializer.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
