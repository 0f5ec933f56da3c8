//! Why a request has no answer: by the target, or by this program's own limits.

use std::io;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No connection: nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No connection in the time the profile gives: nothing was sent.
    #[error("no connection in time: the target accepts none, as when its listen backlog is full")]
    NotAccepted,
    /// The generator itself ran out of descriptors or ports: nothing was sent.
    #[error("the generator is out of descriptors or ports: {0}")]
    Exhausted(String),
    /// The server closed a kept connection before the request was written: nothing was sent.
    #[error("the connection was closed before the request was sent")]
    NotSent,
    /// Sent, and the connection ended before the answer was complete.
    #[error("cut: {0}")]
    Cut(String),
    /// Sent, and what came back is not HTTP.
    #[error("not HTTP: {0}")]
    Protocol(String),
    /// No complete answer in the time the profile gives.
    #[error("no answer in time")]
    Timeout,
}

impl Failure {
    /// The failure of a connection that was not made: by the target, or by this program's own limits.
    pub(crate) fn of_connecting(error: io::Error) -> Failure {
        use nix::errno::Errno;
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMFILE | Errno::ENFILE | Errno::EADDRNOTAVAIL | Errno::ENOBUFS) => {
                Failure::Exhausted(error.to_string())
            }
            _ => Failure::Connect(error.to_string()),
        }
    }

    /// The failure of a request on a connection.
    pub(super) fn of_sending(error: hyper::Error) -> Failure {
        if error.is_canceled() {
            Failure::NotSent
        } else if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
            Failure::Protocol(error.to_string())
        } else {
            Failure::Cut(error.to_string())
        }
    }
}
