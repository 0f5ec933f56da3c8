//! Problem details (RFC 9457): errors as the client sees them, and the one table of status codes.

use std::sync::OnceLock;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::faults;
use crate::dispatch::Reason;
use crate::http::Fault;
use crate::warrior::FieldError;

/// A request that got no result, and why, as its client may know it.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// An error of HTTP itself.
    Http(Fault),
    /// The body cannot be read as one JSON object.
    MalformedBody(String),
    /// Fields are wrong; every one of them.
    InvalidWarrior(Vec<FieldError>),
    /// The query string or a header is wrong.
    BadRequest(String),
    /// The path is unknown, or the id is.
    NotFound(&'static str),
    /// The path is known, the method is not; the methods that are.
    MethodNotAllowed(&'static str),
    /// The method is none that HTTP has.
    MethodUnknown,
    /// The body is encoded.
    UnsupportedEncoding,
    /// The key was used for another warrior.
    KeyReused,
    /// Certainly not done; may be repeated as it is.
    NotDone(Reason),
    /// A create that came before the secret of the keys is known; may be repeated as it is.
    NoKeys,
    /// As [`Self::NotDone`], of a create with an Idempotency-Key: an earlier one with the same key is another matter.
    AttemptNotDone(Reason),
    /// The database refused data that had passed validation.
    RefusedByDatabase,
    /// A write that may have been done.
    Unknown(Box<Settle>),
    /// A row is there, and it is not what was sent. Neither `201` nor `503` nor a plain refusal would be true: it may
    /// be this write, changed by a trigger on its way, or another one with the same key.
    Altered(Box<Settle>),
}

/// The way to settle a write of unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settle {
    /// The id that the warrior has, if it was stored.
    pub id: Uuid,
    /// Its path, if it was stored.
    #[serde(rename = "Location")]
    pub location: String,
    /// Repeating the request with this key stores the warrior once, whatever happened.
    pub idempotency_key: String,
}

/// The bodies of refusals, each rendered once: a server renders most of them when it has the least time for it.
static REFUSALS: [OnceLock<Bytes>; 2 * Reason::COUNT] =
    [const { OnceLock::new() }; 2 * Reason::COUNT];

/// The body of a problem that cannot be written as JSON; its status stands in the response.
const BODY_FALLBACK: &[u8] = br#"{"type":"about:blank"}"#;

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldError]>,
    #[serde(flatten)]
    settle: Option<&'a Settle>,
}

impl Problem {
    /// Status, stable name, title, in one table.
    pub fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Http(fault) => faults::kind(*fault),
            Self::MalformedBody(_) => (
                S::BAD_REQUEST,
                "malformed-body",
                "The body cannot be read as one JSON object",
            ),
            Self::InvalidWarrior(_) => (
                S::UNPROCESSABLE_ENTITY,
                "invalid-warrior",
                "The warrior has wrong fields",
            ),
            Self::BadRequest(_) => (S::BAD_REQUEST, "bad-request", "The request is wrong"),
            Self::NotFound(_) => (S::NOT_FOUND, "not-found", "There is no such thing"),
            Self::MethodNotAllowed(_) => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The method is not allowed here",
            ),
            Self::MethodUnknown => (
                S::NOT_IMPLEMENTED,
                "method-unknown",
                "The method is not known here",
            ),
            Self::UnsupportedEncoding => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-encoding",
                "The content encoding is not supported",
            ),
            Self::KeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key belongs to another warrior",
            ),
            Self::NotDone(reason) | Self::AttemptNotDone(reason) => {
                let r#type = match reason {
                    Reason::QueueFull
                    | Reason::NoMemory
                    | Reason::TooLate
                    | Reason::LowPriority
                    | Reason::Deadline => "overloaded",
                    Reason::TooCostly => "too-costly",
                    Reason::DatabaseGone
                    | Reason::RolledBack
                    | Reason::ReadFailed
                    | Reason::Panicked
                    | Reason::ShuttingDown => "unavailable",
                };
                (
                    S::SERVICE_UNAVAILABLE,
                    r#type,
                    "This request was certainly not executed",
                )
            }
            Self::NoKeys => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "This request was certainly not executed",
            ),
            Self::RefusedByDatabase => (
                S::UNPROCESSABLE_ENTITY,
                "refused-by-database",
                "The database refused the data",
            ),
            Self::Unknown(_) => (
                S::GATEWAY_TIMEOUT,
                "outcome-unknown",
                "The warrior may or may not be stored",
            ),
            Self::Altered(_) => (
                S::GATEWAY_TIMEOUT,
                "altered-by-database",
                "Another warrior than the one that was sent is stored",
            ),
        }
    }

    /// A sentence on the event and the next step.
    fn detail(&self) -> String {
        match self {
            Self::Http(fault) => faults::detail(*fault),
            Self::MalformedBody(why) | Self::BadRequest(why) => why.clone(),
            Self::InvalidWarrior(errors) => {
                let fields: Vec<_> = errors.iter().map(|e| e.field).collect();
                format!("Correct {} and send the warrior again.", fields.join(", "))
            }
            Self::NotFound(what) => (*what).to_owned(),
            Self::MethodNotAllowed(allow) => format!("Use one of {allow}."),
            Self::MethodUnknown => "Use one of GET, HEAD, POST.".to_owned(),
            Self::UnsupportedEncoding => "Send the body without Content-Encoding.".to_owned(),
            Self::KeyReused => {
                "Send each warrior with an Idempotency-Key of its own; nothing was stored."
                    .to_owned()
            }
            Self::NotDone(reason) => not_done(*reason).to_owned(),
            Self::NoKeys => {
                "The server has not read its secret from the database yet. Repeat the request a \
                             little later."
                    .to_owned()
            }
            Self::AttemptNotDone(reason) => format!(
                "{} This attempt stored nothing; an earlier one with the same Idempotency-Key that was answered 504, \
                 or not at all, may have. With the same key the warrior is stored once, whatever happened.",
                not_done(*reason)
            ),
            Self::RefusedByDatabase => {
                "Nothing was stored. The data passed validation, and the database, or a trigger in it, still refused \
                 it; it would do so again."
                    .to_owned()
            }
            Self::Unknown(_) => {
                "Send the same warrior again with the header Idempotency-Key set to \
                 idempotency_key: it will be stored once, whatever happened to this request."
                    .to_owned()
            }
            Self::Altered(_) => {
                "A trigger of the table has changed the warrior on its way, or the Idempotency-Key was used for \
                 another one before. See at Location what is stored, if it kept its id; to send the same again gives this \
                 answer again, or one more row."
                    .to_owned()
            }
        }
    }

    /// The response.
    pub fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body()));
        *response.status_mut() = self.kind().0;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self {
            Self::NotDone(_) | Self::AttemptNotDone(_) | Self::NoKeys => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::MethodNotAllowed(allow) => {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            Self::UnsupportedEncoding => {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            _ => {}
        }
        response
    }

    fn body(&self) -> Bytes {
        let (reason, keyed) = match self {
            Self::NotDone(reason) => (*reason, 0),
            Self::AttemptNotDone(reason) => (*reason, 1),
            _ => return self.render(),
        };
        match REFUSALS.get(2 * reason as usize + keyed) {
            Some(rendered) => rendered.get_or_init(|| self.render()).clone(),
            None => self.render(),
        }
    }

    fn render(&self) -> Bytes {
        let (status, name, title) = self.kind();
        let body = Body {
            r#type: format!("urn:warrior-api:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail(),
            errors: match self {
                Self::InvalidWarrior(errors) => Some(errors),
                _ => None,
            },
            settle: match self {
                Self::Unknown(settle) | Self::Altered(settle) => Some(settle),
                _ => None,
            },
        };
        serde_json::to_vec(&body).map_or(Bytes::from_static(BODY_FALLBACK), Bytes::from)
    }
}

fn not_done(reason: Reason) -> &'static str {
    match reason {
        Reason::QueueFull | Reason::TooLate => {
            "The server has more work than it can do in time. Repeat the request a little later."
        }
        Reason::LowPriority => {
            "The server has more creates or finds than it can do in time, or their upkeep is behind, and these go before \
             searches. Repeat the request a little later."
        }
        Reason::NoMemory => {
            "The memory for requests that wait and for answers that clients have not taken yet is used up, or the \
             answer is larger than it. Repeat the request a little later; use a longer term for a search."
        }
        Reason::Deadline => {
            "There was no answer from the database in time. Repeat the request a little later."
        }
        Reason::DatabaseGone => {
            "The database cannot be reached. Repeat the request a little later."
        }
        Reason::RolledBack => "The database undid the request. Repeat it.",
        Reason::TooCostly => {
            "The statement took longer than it may. Use a longer term for a search; repeat the rest."
        }
        Reason::ReadFailed => {
            "The database answered the read with an error, which another attempt is likely to meet again; the \
             server's log has its code."
        }
        Reason::Panicked | Reason::ShuttingDown => "The server let go of the request. Repeat it.",
    }
}
