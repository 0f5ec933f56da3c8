//! Mutations of bytes: the changes that a parser has been caught with before.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// Bounds what a mutation makes: past the largest head and body that the server takes.
const BYTES_MAX: usize = 128 * 1024;
/// Most mutations of one part.
const MUTATIONS_MAX: usize = 4;

/// Numbers at the edge of something.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "+1",
    "00",
    "0x10",
    "1e999",
    "1E-9",
    "65536",
    "65537",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "FFFFFFFFFFFFFFFF",
    "",
];

/// Bytes that mean something to HTTP, to a target, or to JSON.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"=",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n",
    b"host: b\r\n",
    b"content-length: 5\r\n",
    b"content-length: 0\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"connection: close\r\n",
    b"connection: upgrade\r\nupgrade: h2c\r\n",
    b"expect: 100-continue\r\n",
    b"content-encoding: gzip\r\n",
    b"0\r\n\r\n",
    b"%00",
    b"%",
    b"%zz",
    b"%f0%9f",
    b"%2f",
    b"..",
    b"//",
    b"?",
    b"&t=",
    b"#",
    b"*",
    b"http://a/",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"null",
    b"true",
    b"1e400",
    b"\"name\":",
    b"\"dob\":\"0000-00-00\",",
    b"{\"a\":",
    b"[[[[[[[[[[[[[[[[",
    b"%c3%28",
];

/// Changes bytes in one to four places.
pub(super) fn mutate(bytes: &mut Vec<u8>, random: &mut Pcg64Mcg) {
    for _ in 0..random.random_range(1..=MUTATIONS_MAX) {
        mutate_once(bytes, random);
        bytes.truncate(BYTES_MAX);
    }
}

fn mutate_once(bytes: &mut Vec<u8>, random: &mut Pcg64Mcg) {
    let at = random.random_range(0..=bytes.len());
    let end = (at + random.random_range(1..=1 + bytes.len() / 4)).min(bytes.len());
    match random.random_range(0..8) {
        0 => insert(bytes, at, TOKENS[random.random_range(0..TOKENS.len())]),
        1 => {
            bytes.drain(at..end);
        }
        2 => {
            let times = 1 << random.random_range(0..10);
            let part = bytes[at..end].repeat(times.min(1 + BYTES_MAX / (end - at).max(1)));
            insert(bytes, at, &part);
        }
        3 => bytes.truncate(at),
        4 => replace_number(bytes, at, NUMBERS[random.random_range(0..NUMBERS.len())]),
        5 => {
            let token = TOKENS[random.random_range(0..TOKENS.len())];
            let end = (at + token.len()).min(bytes.len());
            bytes.splice(at..end, token.iter().copied());
        }
        6 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        _ if at < bytes.len() => bytes[at] = random.random(),
        _ => {}
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    bytes.splice(at..at, part.iter().copied());
}

/// Replaces the first number behind a place.
fn replace_number(bytes: &mut Vec<u8>, at: usize, number: &str) {
    let digits = |bytes: &[u8]| bytes.iter().position(|byte| !byte.is_ascii_digit());
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = at + start;
    let end = digits(&bytes[start..]).map_or(bytes.len(), |length| start + length);
    bytes.splice(start..end, number.bytes());
}
