//! The announcement protocol: one line of JSON on standard output tells a parent process where
//! everything listens.
//!
//! `warrior-api up --until-stdin-ends` prints an [`Announcement`] once it serves. `warrior-api stack`
//! prints a [`Reply`] once the stack runs, and one more for each command.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::endpoints::Endpoints;

/// A server with its stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The public API.
    pub http: SocketAddr,
    /// `/live`, `/ready` and `/metrics`.
    pub admin: SocketAddr,
    /// The stack behind them.
    pub running: Endpoints,
}

/// The answer of a stack to one command of its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The command is carried out, and this is what runs now.
    Running(Endpoints),
    /// The command failed.
    Error(String),
}

/// Prints `message` as one line on standard output.
///
/// # Errors
/// When standard output is closed.
pub fn print(message: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, message)?;
    writeln!(out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_has_one_form() {
        let version = r#""version":{"major":15,"minor":18}"#;
        let running = format!(
            r#"{{"data":"/d","postgres":{{"port":3,"pid":4,{version}}},"pooler":{{"port":5,"pid":6,{version}}}}}"#
        );
        let line = format!(r#"{{"http":"127.0.0.1:1","admin":"127.0.0.1:2","running":{running}}}"#);
        let announced: Announcement = serde_json::from_str(&line).unwrap();
        assert_eq!(announced.admin.port(), 2);
        assert_eq!(serde_json::to_string(&announced).unwrap(), line);
        let reply = Reply::Running(announced.running);
        let line = format!(r#"{{"running":{running}}}"#);
        assert_eq!(serde_json::to_string(&reply).unwrap(), line);
        let refused: Reply = serde_json::from_str(r#"{"error":"e"}"#).unwrap();
        assert_eq!(refused, Reply::Error("e".to_owned()));
    }
}
