//! Health check of a running server over its admin listener, for containers, which have no curl.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::config::Listen;

/// Longest time for each step: more than the server gives its database, less than a supervisor usually waits.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// More than any answer of `/live` and `/ready`.
const ANSWER_MAX: u64 = 64 * 1024;

/// An answer of the admin listener.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

/// The text that the server at `admin` answers `path` with.
///
/// # Errors
/// When it cannot be reached, or answers anything but `200`: with its own text then.
pub fn ask(admin: Listen, path: &str) -> anyhow::Result<String> {
    match get(admin, path)? {
        Answer { status: 200, text } => Ok(text),
        Answer { text, .. } => anyhow::bail!("{text}"),
    }
}

/// What the server at `admin` answers `path` with.
///
/// # Errors
/// When it cannot be reached, or does not answer as an admin listener does.
pub(super) fn get(admin: Listen, path: &str) -> anyhow::Result<Answer> {
    let address = SocketAddr::new(reachable(admin.host), admin.port);
    let answer = exchange(address, path).map_err(|e| {
        anyhow::anyhow!("no server answers at {address} (ADMIN_HOST, ADMIN_PORT): {e}")
    })?;
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    match status {
        Some(status) if status == 200 || !text.trim().is_empty() => Ok(Answer {
            status,
            text: text.trim_end().to_owned(),
        }),
        _ => anyhow::bail!("{address} is no admin listener of this program: it answers {head:?}"),
    }
}

fn exchange(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

/// An address to listen on may stand for all of them; one to ask may not.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}
