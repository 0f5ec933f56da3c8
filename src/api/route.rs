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

/// A route as metrics name it, also that of a request that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `POST /warrior`
    Create,
    /// `/warrior` with any other method.
    Search,
    /// `/warrior/{id}`
    Find,
    /// `/counting-warriors`
    Count,
    /// `/health`
    Health,
    /// `/openapi.json`
    OpenApi,
    /// A target that is none of the API's, or could not be read.
    None,
}

impl Route {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Search,
        Self::Find,
        Self::Count,
        Self::Health,
        Self::OpenApi,
        Self::None,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Search => "search",
            Self::Find => "find",
            Self::Count => "count",
            Self::Health => "health",
            Self::OpenApi => "openapi",
            Self::None => "none",
        }
    }

    /// The method and the path that it stands for.
    pub fn target(self) -> &'static str {
        match self {
            Self::Create => "POST /warrior",
            Self::Search => "GET /warrior",
            Self::Find => "GET /warrior/{id}",
            Self::Count => "GET /counting-warriors",
            Self::Health => "GET /health",
            Self::OpenApi => "GET /openapi.json",
            Self::None => "none",
        }
    }

    pub(super) fn of(head: &Parts) -> Self {
        match Resource::at(head.uri.path()) {
            Some(Resource::Warriors) if head.method == Method::POST => Self::Create,
            Some(Resource::Warriors) => Self::Search,
            Some(Resource::Warrior(_)) => Self::Find,
            Some(Resource::Count) => Self::Count,
            Some(Resource::Health) => Self::Health,
            Some(Resource::OpenApi) => Self::OpenApi,
            None => Self::None,
        }
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
