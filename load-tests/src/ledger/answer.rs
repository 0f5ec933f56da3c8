//! The answer to a create: as the generator reports it, and as a line of the ledger.

use serde::{Deserialize, Serialize};

use super::entry::Fate;

/// The outcome of a create, as far as a ledger records it.
#[derive(Clone, Debug)]
pub enum Answered<'a> {
    /// A complete answer.
    Whole {
        /// The status code.
        status: u16,
        /// The `Location` header.
        location: Option<&'a str>,
        /// The body, of which only that of a 504 is read.
        body: &'a [u8],
    },
    /// Sent, and no complete answer came; why.
    Cut(String),
    /// Never sent; why.
    Unsent(String),
}

#[derive(Serialize, Deserialize)]
pub(super) struct AnswerLine {
    pub(super) answer: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The id in the body of a 504, to settle the create by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsent: bool,
}

/// The parts of a 504's body that settle it.
#[derive(Default, Deserialize)]
struct Unknown {
    id: Option<String>,
    #[serde(alias = "Location")]
    location: Option<String>,
    idempotency_key: Option<String>,
}

impl AnswerLine {
    pub(super) fn new(answer: u64, answered: &Answered<'_>) -> AnswerLine {
        let empty = AnswerLine {
            answer,
            status: None,
            location: None,
            id: None,
            idempotency_key: None,
            cut: None,
            unsent: false,
        };
        match *answered {
            Answered::Whole {
                status: 504,
                location,
                body,
            } => {
                // A 504 without these is still a 504: unknown, with nothing to settle it by.
                let unknown: Unknown = serde_json::from_slice(body).unwrap_or_default();
                AnswerLine {
                    status: Some(504),
                    location: location.map(str::to_owned).or(unknown.location),
                    id: unknown.id,
                    idempotency_key: unknown.idempotency_key,
                    ..empty
                }
            }
            Answered::Whole {
                status, location, ..
            } => AnswerLine {
                status: Some(status),
                location: location.map(str::to_owned),
                ..empty
            },
            Answered::Cut(ref why) => AnswerLine {
                cut: Some(why.clone()),
                ..empty
            },
            Answered::Unsent(ref why) => AnswerLine {
                unsent: true,
                cut: Some(why.clone()),
                ..empty
            },
        }
    }

    pub(super) fn into_fate(self) -> Fate {
        let location = self
            .location
            .or_else(|| self.id.map(|id| format!("/warrior/{id}")));
        match (self.status, location) {
            _ if self.unsent => Fate::Unsent,
            (Some(201), Some(location)) => Fate::Acknowledged { location },
            (Some(201), None) => Fate::AcknowledgedWithoutLocation,
            (Some(503), _) => Fate::Refused,
            (Some(status @ 400..=499), _) => Fate::Rejected { status },
            (_, location) => Fate::Unknown { location },
        }
    }
}
