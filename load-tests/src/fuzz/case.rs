//! Cases of the fuzzer: a request as clients write it, changed at random in one of its parts. The number of a case and the
//! seed make all of it.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::mutate::mutate;
use crate::schedule::stream;
use crate::workload::{Warrior, search_term};

/// Separates the draws of cases from those of other things with the same seed.
const LANE: u64 = 0xf022;
/// Most packets that a case is sent in.
const PACKETS_MAX: usize = 4;

const METHODS: &[&str] = &[
    "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "QUERY", "post", "BREW", "",
];
const TARGETS: &[&str] = &[
    "/counting-warriors",
    "/health",
    "/openapi.json",
    "/",
    "*",
    "/warrior/",
    "/warrior/x/y",
    "/warrior?",
    "/warrior?t=",
    "/warrior?t=a&t=b",
    "http://a/health",
];

/// What is written to one connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// Each is written by itself.
    pub(super) packets: Vec<Vec<u8>>,
}

/// A request in parts, so that one of them can be wrong while the others still lead to it.
struct Drawn {
    method: Vec<u8>,
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    chunked: bool,
}

impl Case {
    /// The case with this number.
    pub(super) fn draw(seed: u64, number: u64) -> Case {
        let random = &mut stream(seed, LANE, number);
        let mut drawn = Drawn::draw(random);
        match random.random_range(0..5) {
            0 => mutate(&mut drawn.target, random),
            1 => {
                if let Some(body) = &mut drawn.body {
                    mutate(body, random);
                }
            }
            2 => {
                let place = random.random_range(0..drawn.fields.len());
                mutate(&mut drawn.fields[place].1, random);
            }
            3 => mutate(&mut drawn.method, random),
            _ => {}
        }
        let mut bytes = drawn.written(random);
        if random.random_range(0..3) == 0 {
            mutate(&mut bytes, random);
        }
        if random.random_range(0..8) == 0 {
            bytes.extend(Drawn::draw(random).written(random));
        }
        Case {
            packets: packets(bytes, random),
        }
    }

    /// All of its bytes, as a line of text.
    pub(super) fn shown(&self) -> String {
        self.packets.concat().escape_ascii().to_string()
    }
}

impl Drawn {
    fn draw(random: &mut Pcg64Mcg) -> Drawn {
        let (method, target, is_create) = match random.random_range(0..10) {
            0..=3 => ("POST", "/warrior".to_owned(), true),
            4..=5 => ("GET", searched(random), false),
            6 => ("GET", found(random), false),
            7 => ("GET", any(TARGETS, random).to_owned(), false),
            8 => (any(METHODS, random), "/warrior".to_owned(), false),
            _ => (any(METHODS, random), any(TARGETS, random).to_owned(), false),
        };
        let has_body = is_create || random.random_range(0..8) == 0;
        let body = has_body.then(|| serde_json::to_vec(&Warrior::draw(random)).unwrap_or_default());
        Drawn {
            method: method.into(),
            target: target.into(),
            fields: fields(random),
            body,
            chunked: random.random_range(0..3) == 0,
        }
    }

    fn written(&self, random: &mut Pcg64Mcg) -> Vec<u8> {
        let mut bytes = [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &self.fields {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        match &self.body {
            None => bytes.extend(b"\r\n"),
            Some(body) if self.chunked => {
                bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
                bytes.extend(in_chunks(body, random));
            }
            Some(body) => {
                bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
                bytes.extend(body);
            }
        }
        bytes
    }
}

fn searched(random: &mut Pcg64Mcg) -> String {
    let mut target = "/warrior?t=".to_owned();
    for byte in search_term(random).bytes() {
        match random.random_range(0..8) {
            0 => target.push_str(&format!("%{:02x}", random.random::<u8>())),
            _ if byte == b' ' => target.push('+'),
            _ => target.push(char::from(byte)),
        }
    }
    target
}

fn found(random: &mut Pcg64Mcg) -> String {
    let id = uuid::Builder::from_random_bytes(random.random()).into_uuid();
    format!("/warrior/{id}")
}

/// `Host`, and some of the fields that the server looks at.
fn fields(random: &mut Pcg64Mcg) -> Vec<(String, Vec<u8>)> {
    let mut fields = vec![("host".to_owned(), b"a".to_vec())];
    let key: String = (0..random.random_range(10..=260))
        .map(|_| char::from(random.random_range(b'!'..=b'~')))
        .collect();
    let mut add = |one_in: u32, name: &str, value: &[u8]| {
        if random.random_range(0..one_in) == 0 {
            fields.push((name.to_owned(), value.to_vec()));
        }
    };
    add(3, "idempotency-key", key.as_bytes());
    add(8, "content-type", b"application/json");
    add(16, "content-encoding", b"identity");
    add(16, "expect", b"100-continue");
    add(8, "prefer", b"server-timing");
    add(8, "connection", b"close");
    add(16, "connection", b"keep-alive");
    add(32, "x-long", &[b'x'; 17_000]);
    fields
}

/// A chunked body, now and then with extensions and a trailer.
fn in_chunks(body: &[u8], random: &mut Pcg64Mcg) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(random.random_range(1..=rest.len()));
        let mut size = format!("{:x}", chunk.len()).into_bytes();
        match random.random_range(0..16) {
            0 => size.extend(b";name=\"value\""),
            1 => mutate(&mut size, random),
            _ => {}
        }
        bytes.extend([&size, &b"\r\n"[..], chunk, b"\r\n"].concat());
        rest = after;
    }
    let end: &[u8] = match random.random_range(0..8) {
        0 => b"0\r\nx-trailer: a\r\n\r\n",
        _ => b"0\r\n\r\n",
    };
    bytes.extend(end);
    bytes
}

fn packets(mut bytes: Vec<u8>, random: &mut Pcg64Mcg) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for _ in 1..random.random_range(1..=PACKETS_MAX) {
        let rest = bytes.split_off(random.random_range(0..=bytes.len()));
        packets.push(std::mem::replace(&mut bytes, rest));
    }
    packets.push(bytes);
    packets
}

fn any<'t>(texts: &[&'t str], random: &mut Pcg64Mcg) -> &'t str {
    texts[random.random_range(0..texts.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_made_by_the_seed_and_its_number_alone() {
        let cases: Vec<Case> = (0..200).map(|number| Case::draw(1, number)).collect();
        assert_eq!(cases[77], Case::draw(1, 77));
        assert_ne!(cases[77], cases[78]);
        assert_ne!(cases[77], Case::draw(2, 77));
    }

    #[test]
    fn cases_are_right_and_wrong_ones() {
        let bytes: Vec<Vec<u8>> = (0..2000)
            .map(|number| Case::draw(1, number).packets.concat())
            .collect();
        let begin = |with: &[u8]| bytes.iter().filter(|bytes| bytes.starts_with(with)).count();
        assert!(begin(b"POST /warrior HTTP/1.1\r\nhost: a\r\n") > 200);
        assert!(begin(b"GET /warrior?t=") > 100);
        assert!(bytes.iter().filter(|bytes| bytes.len() > 16 * 1024).count() > 20);
    }
}
