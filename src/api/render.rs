//! Results as responses.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::problem::Problem;
use crate::dispatch::Reason;
use crate::warrior::NewWarrior;

/// `201` with the warrior and where it is.
pub(super) fn created(id: Uuid, warrior: &NewWarrior) -> Result<Response<Full<Bytes>>, Problem> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: Uuid,
        #[serde(flatten)]
        warrior: &'a NewWarrior,
    }
    let mut response = json_bytes(Bytes::from(json(&Body { id, warrior })?));
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&location(id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `200` with how many warriors there are.
pub(super) fn count(count: i64) -> Result<Response<Full<Bytes>>, Problem> {
    #[derive(Serialize)]
    struct Body {
        count: i64,
    }
    json(&Body { count }).map(|json| json_bytes(Bytes::from(json)))
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

/// JSON of a value. All of ours have one, with string keys and no failing serializer; if one had not, its client
/// would get an answer that says so, and never an empty one.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|_| Problem::NotDone(Reason::Panicked))
}
