//! The record format of the log, one JSON object a line: what the writer writes and the reader reads.

use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::Answered;
use super::attempt::Fate;

/// The version of the format, in the first line.
pub(super) const FORMAT: u32 = 1;

/// How far the database's clock may be behind the generator's when it was not asked.
const CLOCK_SKEW_SECONDS: f64 = 5.0;

/// The beginning of a line about a request, which no other line has.
const SENT: &str = r#"{"sent":"#;
/// What separates the number of that request from its body.
const BODY: &str = r#","body":"#;

/// The first line: what the lines after it belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub ledger: u32,
    /// The run's id.
    pub run: String,
    /// Where the requests went.
    pub target: String,
    /// When the run began, by the generator's clock, in seconds since 1970.
    pub started_at: i64,
    /// `GET /counting-warriors` before the run; `null` when the target has no such endpoint.
    pub count_before: Option<u64>,
    /// The database's clock before the run, in the same seconds; absent without access to it.
    #[serde(default)]
    pub database_clock: Option<f64>,
}

/// A line after the first.
pub(super) enum Line<'a> {
    /// Before a request leaves.
    Sent(SentLine<'a>),
    /// Before its answer counts.
    Answer(AnswerLine),
}

/// A create that is about to be sent.
#[derive(Deserialize)]
pub(super) struct SentLine<'a> {
    pub(super) sent: u64,
    #[serde(borrow)]
    pub(super) body: &'a RawValue,
}

/// The answer to a create, or why there is none.
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
    pub(super) idempotency_key: Option<String>,
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

impl Header {
    /// The header of a run's ledger.
    pub fn new(run: &str, target: &str, count_before: Option<u64>) -> Header {
        let (run, target) = (run.to_owned(), target.to_owned());
        let started_at = chrono::Utc::now().timestamp();
        Header {
            ledger: FORMAT,
            run,
            target,
            started_at,
            count_before,
            database_clock: None,
        }
    }

    /// No row of the run was made before this moment of the database's clock. A row of an earlier
    /// run with the same seed was, if that clock was asked.
    pub fn since(&self) -> f64 {
        let guess = self.started_at as f64 - CLOCK_SKEW_SECONDS;
        self.database_clock.unwrap_or(guess)
    }
}

impl Line<'_> {
    /// Reads a line; its end may be there or not.
    pub(super) fn parse(line: &str) -> serde_json::Result<Line<'_>> {
        if line.starts_with(SENT) {
            serde_json::from_str(line).map(Line::Sent)
        } else {
            serde_json::from_str(line).map(Line::Answer)
        }
    }
}

impl SentLine<'_> {
    /// Writes the line of a create whose body is JSON without a line break, which the body of every create
    /// is. This stands between a request and its moment, so the body is copied once and not parsed.
    pub(super) fn to_bytes(sent: u64, body: &[u8]) -> Vec<u8> {
        const DIGITS_MAX: usize = 20;
        const END: &[u8] = b"}\n";
        let length = SENT.len() + DIGITS_MAX + BODY.len() + body.len() + END.len();
        let mut line = Vec::with_capacity(length);
        // Writing to memory cannot fail.
        let _written = write!(line, "{SENT}{sent}{BODY}");
        line.extend_from_slice(body);
        line.extend_from_slice(END);
        line
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_byte_for_byte_as_it_was_written() {
        for (number, body) in [
            (
                0,
                r#"{"name":"A","dob":"2000-01-01","fight_skills":["Judo"]}"#,
            ),
            (
                1,
                r#"{"name":"}\n{\"sent\":7,\"body\":1}","dob":"\u2028\\"}"#,
            ),
            (2, "{\"name\":\"\u{2028}\u{85}\u{1f94b}\",\"name\":null}"),
            (3, r#" { "spaces" : [ 1.50, 1e400 ] } "#),
            (u64::MAX, "null"),
        ] {
            let line = SentLine::to_bytes(number, body.as_bytes());
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            let line = std::str::from_utf8(&line).expect("text");
            let Ok(Line::Sent(sent)) = Line::parse(line) else {
                panic!("{line} is no line of a request");
            };
            assert_eq!((sent.sent, sent.body.get()), (number, body.trim()));
        }
    }

    #[test]
    fn an_answer_is_no_request_whatever_its_text_says() {
        let why = Answered::Cut(r#"{"sent":1,"body":{}}"#.to_owned());
        let line = serde_json::to_string(&AnswerLine::new(4, &why)).expect("JSON");
        let Ok(Line::Answer(answer)) = Line::parse(&line) else {
            panic!("{line} is no answer");
        };
        assert_eq!(answer.answer, 4);
        assert_eq!(answer.into_fate(), Fate::Unknown { location: None });
    }
}
