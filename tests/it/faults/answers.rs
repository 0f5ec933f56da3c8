//! Creates over one connection, and what their answers promise.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How much later than its deadline an answer may arrive on a machine that does other things, too.
const SLACK: Duration = Duration::from_secs(2);

/// What an answer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Stored,
    Refused,
    Unknown,
}

/// One create and its answer.
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    /// Path of a stored warrior.
    pub(super) location: Option<String>,
    /// What settles an unknown one.
    pub(super) key: Option<String>,
}

/// All creates of one drill, client by client.
pub(super) struct Answers(pub(super) Vec<Vec<Answer>>);

/// A keep-alive client of the standard library's own sockets.
pub(super) struct Http {
    stream: BufReader<TcpStream>,
    /// Longest time until an answer.
    limit: Duration,
}

impl Answers {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.0.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Times that a client began to be refused. However often it asks until it is served again is one of them, since
    /// an open breaker refuses as fast as a client asks.
    pub(super) fn refusal_spells(&self) -> usize {
        let is_refused = |answer: &Answer| answer.outcome == Outcome::Refused;
        let of_client = |answers: &Vec<Answer>| {
            let spells = answers.chunk_by(|a, b| is_refused(a) == is_refused(b));
            spells.filter(|spell| is_refused(&spell[0])).count()
        };
        self.0.iter().map(of_client).sum()
    }

    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.iter()
            .filter(|answer| answer.outcome == outcome)
            .count()
    }
}

impl Http {
    /// A client of a server whose requests have `deadline`.
    pub(super) fn new(address: SocketAddr, deadline: Duration) -> Self {
        let (socket, limit) = (TcpStream::connect(address).unwrap(), deadline + SLACK);
        socket.set_read_timeout(Some(limit)).unwrap();
        Self {
            stream: BufReader::new(socket),
            limit,
        }
    }

    pub(super) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, Value) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let stream = &mut self.stream;
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no status in {line:?}"));
        let status = status.parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// Sends one warrior and checks that the answer is one of the three, whole, and in time.
pub(super) fn create(client: &mut Http, name: String, key: Option<&str>) -> Answer {
    let body = json!({"name": name, "dob": "2000-01-01", "fight_skills": ["drill"]}).to_string();
    let header = key.map_or(String::new(), |key| format!("idempotency-key: {key}\r\n"));
    let began = Instant::now();
    let (status, body) = client.ask("POST", "/warrior", &header, &body);
    assert!(
        began.elapsed() < client.limit,
        "answered {status} after {:?}",
        began.elapsed()
    );
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let (outcome, location) = match status {
        201 => (
            Outcome::Stored,
            text("id").map(|id| format!("/warrior/{id}")),
        ),
        503 => (Outcome::Refused, None),
        504 => (Outcome::Unknown, text("Location")),
        other => panic!("there is no fourth answer to a write: {other} {body}"),
    };
    Answer {
        name,
        outcome,
        location,
        key: text("idempotency_key"),
    }
}
