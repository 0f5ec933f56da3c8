//! A running server, by its admin listener.

use super::super::evidence::{Seen, Server};
use super::super::finding::Unseen;
use crate::config::Listen;
use crate::ops::health::{self, Answer};

const WHAT: &str = "the server, its readiness and what binds now";

pub(super) fn ask(admin: Listen) -> Seen<Server> {
    let Answer { status, text } =
        health::get(admin, "/ready").map_err(|e| Unseen::new(WHAT, format!("{e:#}")))?;
    let figures = match health::get(admin, "/figures") {
        Ok(Answer { status: 200, text }) => serde_json::from_str(&text).ok(),
        _ => None,
    };
    Ok(Server {
        not_ready: (status != 200).then(|| text.trim_start_matches("not ready: ").to_owned()),
        figures,
    })
}
