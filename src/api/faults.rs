//! HTTP's own errors as problem details: the second half of the table of status codes.

use hyper::StatusCode;

use crate::http::Fault;

/// Status, stable name, title.
pub(super) fn kind(fault: Fault) -> (StatusCode, &'static str, &'static str) {
    use StatusCode as S;
    match fault {
        Fault::MalformedHead => (
            S::BAD_REQUEST,
            "malformed-head",
            "The head of the request is not HTTP/1.1",
        ),
        Fault::Host | Fault::Authority | Fault::BrokenBody => {
            (S::BAD_REQUEST, "bad-request", "The request is wrong")
        }
        Fault::HeadTooSlow(_) => (
            S::REQUEST_TIMEOUT,
            "head-timeout",
            "The head did not arrive in time",
        ),
        Fault::BodyTooSlow(_) => (
            S::REQUEST_TIMEOUT,
            "body-timeout",
            "The body did not arrive in time",
        ),
        Fault::BodyTooLarge(_) => (
            S::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The body is too large",
        ),
        Fault::TargetTooLong(_) => (
            S::URI_TOO_LONG,
            "target-too-long",
            "The request target is too long",
        ),
        Fault::HeadTooLarge(_) => (
            S::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            "The head of the request is too large",
        ),
        Fault::TransferCoding => (
            S::NOT_IMPLEMENTED,
            "unsupported-transfer-coding",
            "The transfer coding is not supported",
        ),
        Fault::Version => (
            S::HTTP_VERSION_NOT_SUPPORTED,
            "version-not-supported",
            "The version of HTTP is not supported",
        ),
    }
}

/// A sentence on the event and the next step.
pub(super) fn detail(fault: Fault) -> String {
    match fault {
        Fault::MalformedHead => "Send a request line and header fields as RFC 9112 has them: no blank before a colon, \
                                 none at the beginning of a line, and one length of the body."
            .to_owned(),
        Fault::Host => {
            "Send exactly one Host header, which holds a host and perhaps a port.".to_owned()
        }
        Fault::Authority => {
            "Send the path alone as the target, or before it a host and perhaps a port, without a user.".to_owned()
        }
        Fault::BrokenBody => {
            "The body cannot be read: its chunks are broken, or it ended early.".to_owned()
        }
        Fault::HeadTooSlow(limit) => {
            format!("Send the whole head within {} seconds.", limit.as_secs_f64())
        }
        Fault::BodyTooSlow(limit) => {
            format!("Send the whole body within {} seconds.", limit.as_secs())
        }
        Fault::BodyTooLarge(max) => format!("Send at most {max} bytes."),
        Fault::TargetTooLong(max) => format!("Use a path and query of at most {max} bytes."),
        Fault::HeadTooLarge(max) => {
            format!("Send at most {max} bytes and 100 fields before the body.")
        }
        Fault::TransferCoding => {
            "Send the body in the transfer coding chunked alone, or with a Content-Length.".to_owned()
        }
        Fault::Version => "Use HTTP/1.1 or HTTP/1.0.".to_owned(),
    }
}
