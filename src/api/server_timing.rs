//! `Server-Timing` (W3C): where the time of a request went, for a client that asks with `Prefer: server-timing` (RFC 7240).

use std::fmt::Write;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::dispatch::Stages;
use crate::http::members;

pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE: &[u8] = b"server-timing";

/// Whether the client asks for it.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(PREFER);
    members(fields.iter().map(AsRef::as_ref)).any(|one| one.eq_ignore_ascii_case(PREFERENCE))
}

/// The stages and their sum, in milliseconds.
pub(super) fn value(stages: &Stages) -> Option<HeaderValue> {
    let mut text = String::new();
    for (name, time) in stages
        .named()
        .into_iter()
        .chain([("total", stages.total())])
    {
        let separator = if text.is_empty() { "" } else { ", " };
        let millis = time.as_secs_f64() * 1e3;
        write!(text, "{separator}{name};dur={millis:.3}").ok()?;
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_preference_stands_among_others() {
        let wanted = |fields: &[&str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(PREFER, HeaderValue::from_str(field).unwrap());
            }
            is_wanted(&headers)
        };
        assert!(wanted(&["server-timing"]) && wanted(&["return=minimal", "a, Server-Timing"]));
        assert!(!wanted(&[]) && !wanted(&["server-timings", "respond-async"]));
    }

    #[test]
    fn times_are_in_milliseconds() {
        let stages = Stages {
            parse: Duration::from_micros(12),
            database: Duration::from_millis(20),
            ..Stages::default()
        };
        let expected = "parse;dur=0.012, queue;dur=0.000, connect;dur=0.000, database;dur=20.000, \
                        render;dur=0.000, total;dur=20.012";
        assert_eq!(value(&stages).unwrap(), expected);
    }
}
