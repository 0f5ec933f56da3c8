//! The whole surface on one screen: method, path and body become one closed enum.

use std::sync::Arc;

use hyper::Method;
use hyper::header::{CONTENT_ENCODING, HOST};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Version};
use uuid::Uuid;

use super::problem::Problem;
use super::query;
use crate::warrior::{NewWarrior, Rejection};

/// Longest path and query, in bytes.
pub(super) const TARGET_MAX: usize = 8 * 1024;

/// Everything that this API can be asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `POST /warrior`
    Create(Create),
    /// `GET /warrior/{id}`; none when what stands there is not a hyphenated UUID.
    Find(Option<Uuid>),
    /// `GET /warrior?t=term`; none when the term holds U+0000, which no stored text can.
    Search(Option<String>),
    /// `GET /counting-warriors`
    Count,
    /// `GET /health`
    Health,
    /// `GET /openapi.json`
    OpenApi,
}

/// A warrior to be stored, and the client's key, if it sent one.
#[derive(Debug, PartialEq, Eq)]
pub struct Create {
    /// `Idempotency-Key`.
    pub key: Option<String>,
    /// The body, shared with the lane that stores it.
    pub warrior: Arc<NewWarrior>,
}

/// What a request asks for.
///
/// # Errors
/// The problem that its client gets instead.
pub fn route(head: &Parts, body: &[u8]) -> Result<Request, Problem> {
    check_head(head)?;
    let (path, query) = (head.uri.path(), head.uri.query());
    // A HEAD is a GET whose answer is sent without its body.
    let get = matches!(head.method, Method::GET | Method::HEAD);
    match path {
        "/warrior" if head.method == Method::POST => {
            create(&head.headers, body).map(Request::Create)
        }
        "/warrior" if get => {
            query::term(query).map(|t| Request::Search(Some(t).filter(|t| !t.contains('\0'))))
        }
        "/warrior" => Err(Problem::MethodNotAllowed("GET, HEAD, POST")),
        "/counting-warriors" if get => Ok(Request::Count),
        "/health" if get => Ok(Request::Health),
        "/openapi.json" if get => Ok(Request::OpenApi),
        "/counting-warriors" | "/health" | "/openapi.json" => Err(get_only()),
        path => match path.strip_prefix("/warrior/") {
            Some(id) if id.is_empty() || id.contains('/') => Err(no_such_path()),
            Some(id) if get => Ok(Request::Find(hyphenated(id))),
            Some(_) => Err(get_only()),
            None => Err(no_such_path()),
        },
    }
}

fn check_head(head: &Parts) -> Result<(), Problem> {
    let target = head
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if target > TARGET_MAX {
        return Err(Problem::TargetTooLong(TARGET_MAX));
    }
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return Err(Problem::BadRequest(
            "Send exactly one Host header.".to_owned(),
        ));
    }
    Ok(())
}

fn create(headers: &HeaderMap, body: &[u8]) -> Result<Create, Problem> {
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
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

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
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

/// A UUID in its one form with hyphens, in any case.
fn hyphenated(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

fn no_such_path() -> Problem {
    Problem::NotFound("This path does not exist. See /openapi.json.")
}

fn get_only() -> Problem {
    Problem::MethodNotAllowed("GET, HEAD")
}

/// The name of a target's route in metrics, whatever becomes of the request.
pub(super) fn name(head: &Parts) -> &'static str {
    match (head.uri.path(), head.method == Method::POST) {
        ("/warrior", true) => "create",
        ("/warrior", false) => "search",
        ("/counting-warriors", _) => "count",
        ("/health", _) => "health",
        ("/openapi.json", _) => "openapi",
        (path, _) if path.starts_with("/warrior/") => "find",
        _ => "none",
    }
}
