//! The ledger: what was sent and what was answered, in a file, before the run moves on.
//!
//! One JSON object a line. The first describes the run; then `{"sent":n,"body":{...}}` is
//! written before request `n` leaves, and `{"answer":n,"status":201,...}` (or `"cut":"why"`)
//! before its answer counts. A generator that is killed therefore leaves no row in the database
//! that the ledger does not know of. Lines reach the kernel one by one and the disk once a
//! second and at the end.

mod entry;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use entry::{Entry, Fate, Stored};

use crate::engine::{Answer, Failure};

/// The version of the format, in the first line.
const FORMAT: u32 = 1;

/// A ledger that is being written. Threads write without a lock: each line is one `write` to a
/// file opened for appending, which the kernel does not interleave.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    path: PathBuf,
    next: AtomicU64,
    /// Half a line was written: what follows it would make the file unreadable.
    torn: AtomicBool,
}

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
    /// `GET /counting-warriors` before the run; `null` when the target did not tell.
    pub count_before: Option<u64>,
    /// The database's clock before the run, in the same seconds; absent without access to it.
    #[serde(default)]
    pub database_clock: Option<f64>,
}

/// How far the database's clock may be behind the generator's when it was not asked.
const CLOCK_SKEW_SECONDS: f64 = 5.0;

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

impl Ledger {
    /// Creates the file; an existing one is an error, since it is somebody's evidence.
    pub fn create(path: &Path, header: &Header) -> anyhow::Result<Ledger> {
        let mut file = File::options()
            .append(true)
            .create_new(true)
            .open(path)
            .with_context(|| format!("cannot create the ledger {}", path.display()))?;
        let mut line = serde_json::to_vec(header)?;
        line.push(b'\n');
        file.write_all(&line)
            .and_then(|()| file.sync_all())
            // Without its first line it is nobody's evidence.
            .inspect_err(|_| drop(std::fs::remove_file(path)))
            .with_context(|| format!("cannot write the ledger {}", path.display()))?;
        Ok(Ledger {
            file,
            path: path.to_owned(),
            next: AtomicU64::new(0),
            torn: AtomicBool::new(false),
        })
    }

    /// Notes a create that is about to be sent, and gives it a number.
    pub fn sent(&self, body: &[u8]) -> anyhow::Result<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut line = Vec::with_capacity(body.len() + 40);
        write!(line, r#"{{"sent":{number},"body":"#)?;
        line.extend_from_slice(body);
        line.extend_from_slice(b"}\n");
        self.append(&line)?;
        Ok(number)
    }

    /// Notes what came of it.
    pub fn answered(&self, number: u64, result: &Result<Answer, Failure>) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&AnswerLine::new(number, result))?;
        line.push(b'\n');
        self.append(&line)
    }

    /// Brings everything so far to the disk.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.file
            .sync_data()
            .with_context(|| format!("cannot sync {}", self.path.display()))
    }

    /// Whether a line could not be written, so that none follows.
    pub fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Relaxed)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&self, line: &[u8]) -> anyhow::Result<()> {
        let written = if self.is_torn() {
            Err(std::io::Error::other(
                "an earlier line could not be written",
            ))
        } else {
            (&self.file).write_all(line)
        };
        written
            .inspect_err(|_| self.torn.store(true, Ordering::Relaxed))
            .with_context(|| {
                format!(
                    "cannot write the ledger {}; the run ends, since what is not in it cannot be \
                     proved",
                    self.path.display()
                )
            })
    }
}

#[cfg(test)]
impl Ledger {
    /// A ledger on a full disk.
    pub(crate) fn full() -> Ledger {
        let path = PathBuf::from("/dev/full");
        let file = File::options().append(true).open(&path);
        Ledger {
            file: file.expect("Linux has it"),
            path,
            next: AtomicU64::new(0),
            torn: AtomicBool::new(false),
        }
    }
}

/// Reads a ledger back, one entry for each request that was sent.
///
/// A last line without an end is what a killed generator leaves: it is ignored, as the request
/// of such a line had not left.
pub fn read(path: &Path) -> anyhow::Result<(Header, Vec<Entry>)> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open the ledger {shown}"))?;
    let mut reader = BufReader::new(file);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let header: Header = serde_json::from_str(&line)
        .with_context(|| format!("{shown}: the first line is not a ledger's header"))?;
    anyhow::ensure!(
        header.ledger == FORMAT,
        "{shown} has format {}, this program reads {FORMAT}",
        header.ledger
    );
    let mut entries: Vec<Option<Entry>> = Vec::new();
    for line_number in 2.. {
        line.clear();
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            break;
        }
        let place = || format!("{shown} line {line_number}: not a line of a ledger");
        if line.starts_with(r#"{"sent""#) {
            let sent: SentLine = serde_json::from_str(&line).with_context(place)?;
            let number = usize::try_from(sent.sent)?;
            if entries.len() <= number {
                entries.resize_with(number + 1, || None);
            }
            entries[number] = Some(Entry::new(sent.sent, sent.body.get()));
        } else {
            let answer: AnswerLine = serde_json::from_str(&line).with_context(place)?;
            let number = answer.answer;
            usize::try_from(number)
                .ok()
                .and_then(|number| entries.get_mut(number)?.as_mut())
                .with_context(|| {
                    format!("{shown} line {line_number}: answers {number}, never sent")
                })?
                .fate = answer.into_fate();
        }
    }
    Ok((header, entries.into_iter().flatten().collect()))
}

#[derive(Deserialize)]
struct SentLine {
    sent: u64,
    body: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct AnswerLine {
    answer: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// What a 504 says, to settle it by.
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
    fn new(answer: u64, result: &Result<Answer, Failure>) -> AnswerLine {
        let empty = AnswerLine {
            answer,
            status: None,
            location: None,
            id: None,
            idempotency_key: None,
            cut: None,
            unsent: false,
        };
        match result {
            Ok(answered) if answered.status == 504 => {
                // A 504 without these is still a 504: unknown, with nothing to settle it by.
                let told: Unknown = serde_json::from_slice(&answered.body).unwrap_or_default();
                AnswerLine {
                    status: Some(504),
                    location: answered.location.clone().or(told.location),
                    id: told.id,
                    idempotency_key: told.idempotency_key,
                    ..empty
                }
            }
            Ok(answered) => AnswerLine {
                status: Some(answered.status),
                location: answered.location.clone(),
                ..empty
            },
            Err(failure) => AnswerLine {
                unsent: matches!(
                    failure,
                    Failure::Connect(_) | Failure::Exhausted(_) | Failure::NotSent
                ),
                cut: Some(failure.to_string()),
                ..empty
            },
        }
    }

    fn into_fate(self) -> Fate {
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

    fn answer(status: u16, location: Option<&str>, body: &str) -> Result<Answer, Failure> {
        let body = bytes::Bytes::from(body.to_owned());
        Ok(Answer {
            status,
            location: location.map(str::to_owned),
            body,
        })
    }

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("{name}-{}.ledger", uuid::Uuid::new_v4()))
    }

    #[test]
    fn every_answer_is_read_back_as_the_fate_it_means() {
        let path = scratch("fates");
        let header = Header::new("run", "http://127.0.0.1:1", Some(3));
        let ledger = Ledger::create(&path, &header).expect("a fresh file");
        let body = br#"{"name":"A","dob":"2000-01-01","fight_skills":["Judo"]}"#;
        for result in [
            answer(201, Some("/warrior/1"), "{}"),
            answer(503, None, "{}"),
            answer(504, None, r#"{"id":"9","idempotency_key":"k"}"#),
            answer(504, None, "<html>"),
            answer(422, None, "{}"),
            answer(500, None, "{}"),
            Err(Failure::Cut("reset".into())),
            Err(Failure::Connect("refused".into())),
            answer(201, None, "{}"),
        ] {
            let number = ledger.sent(body).expect("written");
            ledger.answered(number, &result).expect("written");
        }
        ledger.sent(body).expect("written");
        ledger.append(br#"{"sent":10,"bo"#).expect("written");
        let (read_header, entries) = read(&path).expect("a ledger");
        std::fs::remove_file(&path).expect("ours");
        assert_eq!(read_header.count_before, Some(3));
        let fates: Vec<Fate> = entries.iter().map(|entry| entry.fate.clone()).collect();
        let unknown = |location: Option<&str>| Fate::Unknown {
            location: location.map(str::to_owned),
        };
        assert_eq!(
            fates,
            [
                Fate::Acknowledged {
                    location: "/warrior/1".into()
                },
                Fate::Refused,
                unknown(Some("/warrior/9")),
                unknown(None),
                Fate::Rejected { status: 422 },
                unknown(None),
                unknown(None),
                Fate::Unsent,
                Fate::AcknowledgedWithoutLocation,
                unknown(None),
            ]
        );
        assert_eq!(
            entries[0]
                .warrior
                .as_ref()
                .map(|warrior| warrior.name.as_str()),
            Some("A")
        );
    }

    #[test]
    fn nothing_follows_half_a_line() {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        use std::io::Read;
        use std::os::fd::OwnedFd;
        // A pipe that does not block is a disk that is full until somebody makes room.
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("ours");
        let ledger = Ledger {
            file: File::from(OwnedFd::from(writer)),
            ..Ledger::full()
        };
        let most = 1 << 22;
        ledger
            .sent(&vec![b'1'; most])
            .expect_err("a pipe holds less");
        let held = reader.read(&mut vec![0; most]).expect("what went in");
        assert!(held > 0);
        ledger
            .sent(b"{}")
            .expect_err("it would stand behind half a line");
    }

    #[test]
    fn the_databases_clock_goes_before_a_guess() {
        let read = |clock: &str| {
            let text = format!(
                r#"{{"ledger":1,"run":"r","target":"t","started_at":100,"count_before":null{clock}}}"#
            );
            serde_json::from_str::<Header>(&text)
                .expect("a header")
                .since()
        };
        assert_eq!(read(r#","database_clock":99.5"#), 99.5);
        assert_eq!(read(""), 95.0);
    }

    #[test]
    fn an_existing_ledger_is_never_overwritten() {
        let path = scratch("kept");
        let header = Header::new("run", "http://127.0.0.1:1", None);
        Ledger::create(&path, &header).expect("a fresh file");
        let error = Ledger::create(&path, &header).expect_err("it is there");
        std::fs::remove_file(&path).expect("ours");
        assert!(format!("{error:#}").contains("exists"), "{error:#}");
    }
}
