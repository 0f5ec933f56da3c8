//! The look at the server between two rounds of cases: its log, a create and a find, and what it has acknowledged.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use hyper::Uri;

use crate::client;
use crate::engine::{Answer, Failure};
use crate::target::{Target, given_location};
use crate::workload::{Kind, Maker};

/// What the standard library writes of a panic.
const PANIC: &[u8] = b"panicked";

/// The server's log, read on from where the last look ended.
pub(super) struct Log {
    file: BufReader<File>,
    /// A line without its end yet.
    line: Vec<u8>,
}

impl Log {
    pub(super) fn open(path: &Path) -> io::Result<Log> {
        Ok(Log {
            file: BufReader::new(File::open(path)?),
            line: Vec::new(),
        })
    }

    /// The first line since the last look that tells of a panic.
    fn panic(&mut self) -> io::Result<Option<String>> {
        loop {
            self.file.read_until(b'\n', &mut self.line)?;
            if self.line.windows(PANIC.len()).any(|part| part == PANIC) {
                let line = String::from_utf8_lossy(&self.line);
                return Ok(Some(line.trim_end().to_owned()));
            }
            if !self.line.ends_with(b"\n") {
                return Ok(None);
            }
            self.line.clear();
        }
    }
}

/// What should not be, if anything: a panic in the log, a create or a find without its answer, or something acknowledged
/// that is not there.
///
/// # Errors
/// When this cannot be told.
pub(super) fn look(
    api: &Target,
    log: &mut Log,
    seed: u64,
    locations: &[Uri],
) -> anyhow::Result<Option<String>> {
    let panic = log.panic().context("the server's log cannot be read")?;
    if let Some(line) = panic {
        return Ok(Some(format!("a panic: {line}")));
    }
    let maker = Maker::new(Kind::CreateValid, seed, 0, api);
    let created = match client::send(api, &maker.make(0, &[])?) {
        Ok(created) => created,
        Err(error) if is_of_server(&error) => {
            return Ok(Some(format!("it no longer serves: {error:#}")));
        }
        Err(error) => return Err(error),
    };
    // After a minute of asking again: a refusal is no crash, and who caused it is not known.
    ensure!(created.status != 503, "the server refuses creates");
    if created.status != 201 {
        return Ok(Some(format!("a create was answered {}", created.status)));
    }
    let Some(own) = created.location.as_deref().and_then(given_location) else {
        return Ok(Some("a create has no Location".to_owned()));
    };
    let acknowledged: Vec<Uri> = locations.iter().cloned().chain([own]).collect();
    let (mut missing, mut unread) = (None, None);
    client::get_each(api, &acknowledged, 1, |place, answer| {
        let what = &acknowledged[place];
        match read_back(answer) {
            ReadBack::There => {}
            ReadBack::Missing(how) => {
                missing.get_or_insert_with(|| format!("{what} was acknowledged, and {how}"));
            }
            ReadBack::Unread(why) => {
                unread.get_or_insert_with(|| anyhow!("{what} could not be read back: {why}"));
            }
        }
    })?;
    match (missing, unread) {
        (None, Some(why)) => Err(why),
        (missing, _) => Ok(missing),
    }
}

/// What an acknowledged warrior was found to be.
enum ReadBack {
    There,
    Missing(String),
    /// A refusal, and what this program itself lacks, say nothing about the warrior.
    Unread(String),
}

fn read_back(answer: Result<Answer, Failure>) -> ReadBack {
    match answer {
        Ok(answer) => match answer.status {
            200 => ReadBack::There,
            503 => ReadBack::Unread("the server refuses".to_owned()),
            status => ReadBack::Missing(format!("is {status}")),
        },
        Err(failure @ Failure::Exhausted(_)) => ReadBack::Unread(failure.to_string()),
        Err(failure) => ReadBack::Missing(format!("cannot be read: {failure}")),
    }
}

/// Whether an error of a request is the server's, and not what this program itself lacks.
fn is_of_server(error: &anyhow::Error) -> bool {
    let failure = error.downcast_ref::<Failure>();
    failure.is_some_and(|failure| !matches!(failure, Failure::Exhausted(_)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_is_read_on_and_half_a_line_waits_for_its_end() {
        let path = std::env::temp_dir().join(format!("warrior-load-{}", uuid::Uuid::new_v4()));
        let mut file = File::create(&path).expect("a file");
        let mut log = Log::open(&path).expect("the file");
        std::fs::remove_file(&path).expect("ours");
        let mut look = |written: &[u8]| {
            file.write_all(written).expect("written");
            log.panic().expect("read")
        };
        assert_eq!(look(b"one\n\xff two\nthe worker pan"), None);
        let found = look(b"icked at src\nthree\n");
        assert_eq!(found.as_deref(), Some("the worker panicked at src"));
        // What was read is not read again.
        file.set_len(0).expect("emptied");
        assert_eq!(log.line, b"the worker panicked at src\n");
        log.line.clear();
        assert_eq!(log.panic().expect("read"), None);
    }

    #[test]
    fn only_what_the_server_lacks_is_a_finding() {
        let failed = |failure: Failure| anyhow::Error::new(failure).context("POST of somewhere");
        assert!(is_of_server(&failed(Failure::Connect(
            "refused".to_owned()
        ))));
        assert!(is_of_server(&failed(Failure::Timeout)));
        assert!(!is_of_server(&failed(Failure::Exhausted(
            "no port".to_owned()
        ))));
        assert!(!is_of_server(&anyhow!("no event loop")));
        let exhausted = Failure::Exhausted("no descriptor".to_owned());
        assert!(matches!(read_back(Err(exhausted)), ReadBack::Unread(_)));
        let cut = Failure::Cut("reset".to_owned());
        assert!(matches!(read_back(Err(cut)), ReadBack::Missing(_)));
    }
}
