//! Request heads, as far as hyper leaves their rules (RFC 9110, RFC 9112) to its user.

use std::net::Ipv6Addr;

use hyper::Version;
use hyper::header::{HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;

use super::fault::Fault;

/// Longest path and query, in bytes.
pub const TARGET_MAX: usize = 8 * 1024;

/// Checks a head that hyper could read.
///
/// # Errors
/// The first rule that it breaks.
pub(super) fn check(head: &Parts) -> Result<(), Fault> {
    let target = head.uri.path_and_query();
    if target.is_some_and(|target| target.as_str().len() > TARGET_MAX) {
        return Err(Fault::TargetTooLong(TARGET_MAX));
    }
    // A target in absolute form has precedence over Host, which has to be right all the same.
    let authority = head.uri.authority();
    if authority.is_some_and(|a| a.host().is_empty() || !is_host(a.as_str().as_bytes())) {
        return Err(Fault::Authority);
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => {}
        (None, _) if head.version != Version::HTTP_11 => {}
        _ => return Err(Fault::Host),
    }
    transfer_coding(&head.headers)
}

/// hyper looks at the last coding alone, and would hand out a body that is still encoded.
fn transfer_coding(headers: &HeaderMap) -> Result<(), Fault> {
    let codings: Vec<_> =
        members(headers.get_all(TRANSFER_ENCODING).iter().map(AsRef::as_ref)).collect();
    match codings.as_slice() {
        [] | [_] => Ok(()),
        all if all
            .iter()
            .all(|coding| coding.eq_ignore_ascii_case(b"chunked")) =>
        {
            Err(Fault::MalformedHead)
        }
        _ => Err(Fault::TransferCoding),
    }
}

/// The members of a field that is a list (RFC 9110, section 5.6.1), over all of its lines.
pub fn members<'v>(lines: impl Iterator<Item = &'v [u8]>) -> impl Iterator<Item = &'v [u8]> {
    lines
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// `uri-host [ ":" port ]` of RFC 9110; the host may be empty.
fn is_host(value: &[u8]) -> bool {
    let (is_valid, port) = match value.strip_prefix(b"[") {
        Some(rest) => match rest.iter().position(|byte| *byte == b']') {
            Some(end) => (is_ip_literal(&rest[..end]), &rest[end + 1..]),
            None => return false,
        },
        None => {
            let end = value.iter().position(|byte| *byte == b':');
            let (name, port) = value.split_at(end.unwrap_or(value.len()));
            (is_registered_name(name), port)
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_valid && is_port
}

/// `IPv6address / IPvFuture` of RFC 3986.
fn is_ip_literal(inner: &[u8]) -> bool {
    let Some(rest) = inner
        .strip_prefix(b"v")
        .or_else(|| inner.strip_prefix(b"V"))
    else {
        return str::from_utf8(inner).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    };
    let mut parts = rest.splitn(2, |byte| *byte == b'.');
    let part = |of: Option<&[u8]>, allowed: fn(&u8) -> bool| {
        of.is_some_and(|bytes| !bytes.is_empty() && bytes.iter().all(allowed))
    };
    part(parts.next(), u8::is_ascii_hexdigit)
        && part(parts.next(), |byte| is_plain(*byte) || *byte == b':')
}

/// `reg-name` of RFC 3986, of which an IPv4 address is one.
fn is_registered_name(name: &[u8]) -> bool {
    let mut rest = name;
    loop {
        rest = match rest {
            [] => return true,
            [b'%', a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest,
            [byte, rest @ ..] if is_plain(*byte) => rest,
            _ => return false,
        }
    }
}

/// `unreserved / sub-delims` of RFC 3986.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}
