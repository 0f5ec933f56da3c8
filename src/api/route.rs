//! Routing table: method, path and body become one closed enum. The whole surface stands on one screen.

use hyper::Method;
use hyper::http::request::Parts;
use uuid::Uuid;

use super::create::{self, Create};
use super::problem::Problem;
use super::query;

/// A request that this API answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `POST /warrior`
    Create(Create),
    /// `GET /warrior/{id}`; none when the id is not a hyphenated UUID.
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

/// The resource that a path names.
enum Resource<'p> {
    Warriors,
    /// The warrior with this text for an id.
    Warrior(&'p str),
    Count,
    Health,
    OpenApi,
}

/// Reads a request.
///
/// # Errors
/// The problem that its client gets instead.
pub fn route(head: &Parts, body: &[u8]) -> Result<Request, Problem> {
    if !is_known(&head.method) {
        return Err(Problem::MethodUnknown);
    }
    let resource = Resource::at(head.uri.path()).ok_or_else(no_such_path)?;
    // A HEAD is a GET whose answer is sent without its body.
    let get = matches!(head.method, Method::GET | Method::HEAD);
    match resource {
        Resource::Warriors if head.method == Method::POST => {
            create::read(&head.headers, body).map(Request::Create)
        }
        Resource::Warriors if get => {
            let term = query::term(head.uri.query())?;
            Ok(Request::Search(Some(term).filter(|t| !t.contains('\0'))))
        }
        Resource::Warriors => Err(Problem::MethodNotAllowed("GET, HEAD, POST")),
        _ if !get => Err(Problem::MethodNotAllowed("GET, HEAD")),
        Resource::Warrior(id) => Ok(Request::Find(hyphenated(id))),
        Resource::Count => Ok(Request::Count),
        Resource::Health => Ok(Request::Health),
        Resource::OpenApi => Ok(Request::OpenApi),
    }
}

/// The name in metrics of a target that is none of the API's.
pub(super) const NONE: &str = "none";

/// The name of a target's route in metrics, also of a request that is refused.
pub(super) fn name(head: &Parts) -> &'static str {
    match Resource::at(head.uri.path()) {
        Some(Resource::Warriors) if head.method == Method::POST => "create",
        Some(Resource::Warriors) => "search",
        Some(Resource::Warrior(_)) => "find",
        Some(Resource::Count) => "count",
        Some(Resource::Health) => "health",
        Some(Resource::OpenApi) => "openapi",
        None => NONE,
    }
}

impl<'p> Resource<'p> {
    /// The one table of paths.
    fn at(path: &'p str) -> Option<Self> {
        match path {
            "/warrior" => Some(Self::Warriors),
            "/counting-warriors" => Some(Self::Count),
            "/health" => Some(Self::Health),
            "/openapi.json" => Some(Self::OpenApi),
            path => path
                .strip_prefix("/warrior/")
                .filter(|id| !id.is_empty() && !id.contains('/'))
                .map(Self::Warrior),
        }
    }
}

/// The methods of RFC 9110, PATCH and QUERY, which a path can refuse (405). Names of others mean nothing here (501).
fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::DELETE
            | Method::CONNECT
            | Method::OPTIONS
            | Method::TRACE
            | Method::PATCH
    ) || method.as_str() == "QUERY"
}

/// A UUID in its one form with hyphens, in any case.
fn hyphenated(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

fn no_such_path() -> Problem {
    Problem::NotFound("This path does not exist. See /openapi.json.")
}
