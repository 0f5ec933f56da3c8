//! The search term in a query string.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// The value of `t`.
///
/// # Errors
/// [`Problem::BadRequest`] when `t` is missing, empty or given twice, and when an escape is broken
/// or does not give UTF-8.
pub(super) fn term(query: Option<&str>) -> Result<String, Problem> {
    let mut terms = Vec::new();
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(name)? == "t" {
            terms.push(decode(value)?);
        }
    }
    match terms.as_slice() {
        [] => Err(bad(
            "The query parameter t is missing. Ask for /warrior?t=term.",
        )),
        [term] if term.is_empty() => Err(bad("The query parameter t is empty. Give it a term.")),
        [term] => Ok(term.clone()),
        _ => Err(bad("The query parameter t is given twice. Give it once.")),
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    let broken = || bad("The query string has a broken escape. Write % as %25, all as UTF-8.");
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            _ => return Err(broken()),
        }
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| broken())
}

fn bad(why: &str) -> Problem {
    Problem::BadRequest(why.to_owned())
}
