//! Single requests beside the load, each on a connection of its own and bounded in time: probes of liveness and
//! readiness, creates that show health, and repeats of a key. What asks in earnest is the engine.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::target::Target;

/// Longest wait for an answer: longer than any that keeps the deadline.
const TIMEOUT: Duration = Duration::from_secs(8);

/// An answer, as far as a drill looks at it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// A warrior that no ledger knows of.
pub(super) fn warrior() -> String {
    format!(
        r#"{{"name":"drilled {}","dob":"2000-02-29","fight_skills":["drill"]}}"#,
        uuid::Uuid::new_v4()
    )
}

/// Creates a warrior; with a key, where one is given.
pub(super) fn create(target: &Target, warrior: &str, key: Option<&str>) -> io::Result<Reply> {
    let key = key.map_or(String::new(), |key| format!("idempotency-key: {key}\r\n"));
    ask(
        target,
        &format!("POST {}", path(target, "/warrior")),
        &key,
        warrior,
    )
}

/// Gets a path.
pub(super) fn get(target: &Target, below: &str) -> io::Result<Reply> {
    ask(target, &format!("GET {}", path(target, below)), "", "")
}

/// The status of a path, where there is an answer.
pub(super) fn status(target: &Target, below: &str) -> Option<u16> {
    get(target, below).ok().map(|reply| reply.status)
}

/// Waits until ten creates in a row are answered 201.
pub(super) fn heals(target: &Target, patience: Duration) -> Option<Duration> {
    let began = Instant::now();
    let mut row = 0;
    while row < 10 {
        let created = create(target, &warrior(), None);
        if created.is_ok_and(|reply| reply.status == 201) {
            row += 1;
            continue;
        }
        row = 0;
        if began.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(began.elapsed())
}

/// A connection with the head and the body of a request written, whose answer nobody reads.
pub(super) fn begin(address: SocketAddr, head: &str, body: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    let length = body.len();
    let request = format!("{head}content-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

fn path(target: &Target, below: &str) -> String {
    // A base that makes no path was refused when the target was read.
    target
        .uri(below)
        .map_or_else(|_| below.to_owned(), |uri| uri.to_string())
}

fn ask(target: &Target, line: &str, headers: &str, body: &str) -> io::Result<Reply> {
    let host = target.host.to_str().unwrap_or("drill");
    let head = format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}");
    let mut stream = begin(target.address, &head, body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no whole answer"))
}

/// Reads an answer whose end is that of its connection.
fn parse(answer: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    // A connection that ended in mid-answer gave none.
    if length.is_some_and(|length| length != body.len()) {
        return None;
    }
    Some(Reply {
        status,
        location: header("location"),
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_none() {
        let whole = "HTTP/1.1 201 Created\r\nLocation: /warrior/1\r\ncontent-length: 2\r\n\r\n{}";
        let reply = parse(whole).expect("whole");
        assert_eq!(
            (reply.status, reply.location.as_deref()),
            (201, Some("/warrior/1"))
        );
        assert!(parse(&whole[..whole.len() - 1]).is_none());
        assert!(parse("HTTP/1.1 201").is_none());
    }
}
