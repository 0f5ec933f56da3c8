//! The writer of a ledger: one append a line, without a lock.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context;

use super::answer::Answered;
use super::line::{AnswerLine, Header, SentLine};

/// A ledger that is being written. Threads write without a lock: each line is one `write` to a
/// file opened for appending, which the kernel does not interleave.
#[derive(Debug)]
pub struct Ledger {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) next: AtomicU64,
    /// Half a line was written: what follows it would make the file unreadable.
    pub(super) torn: AtomicBool,
}

impl Ledger {
    /// Creates the file; an existing one is an error, since it is the evidence of another run.
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
            // A ledger without its first line is evidence of nothing.
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
        self.append(&SentLine::to_bytes(number, body))?;
        Ok(number)
    }

    /// Notes what came of it.
    pub fn answered(&self, number: u64, answered: &Answered<'_>) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&AnswerLine::new(number, answered))?;
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

    pub(super) fn append(&self, line: &[u8]) -> anyhow::Result<()> {
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
