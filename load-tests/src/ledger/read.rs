//! The reader of a ledger.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::attempt::Attempt;
use super::line::{FORMAT, Header, Line};

/// Reads a ledger back, one attempt for each request that was sent.
///
/// A last line without an end is what a killed generator leaves: it is ignored, as the request
/// of such a line had not left.
///
/// # Errors
/// Names the file and its first line that no generator writes.
pub fn read(path: &Path) -> anyhow::Result<(Header, Vec<Attempt>)> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open the ledger {shown}"))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    next_line(&mut reader, &mut line).with_context(|| format!("cannot read {shown}"))?;
    let header: Header = serde_json::from_slice(&line)
        .with_context(|| format!("{shown}: the first line is not a ledger's header"))?;
    ensure!(
        header.ledger == FORMAT,
        "{shown} has format {}, this program reads {FORMAT}",
        header.ledger
    );
    // By its number: threads number their requests in turn, and write their lines when they come to it.
    let mut attempts: BTreeMap<u64, (Attempt, bool)> = BTreeMap::new();
    for line_number in 2.. {
        let read = next_line(&mut reader, &mut line);
        if !read.with_context(|| format!("cannot read {shown}"))? {
            break;
        }
        take(&line, &mut attempts).with_context(|| {
            format!("{shown} line {line_number} is damaged, so the ledger proves nothing")
        })?;
    }
    let attempts = attempts.into_values().map(|(attempt, _)| attempt);
    Ok((header, attempts.collect()))
}

/// Whether there was a whole line.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    reader.read_until(b'\n', line)?;
    Ok(line.ends_with(b"\n"))
}

/// Enters one line; an attempt is kept with whether it is answered.
fn take(line: &[u8], attempts: &mut BTreeMap<u64, (Attempt, bool)>) -> anyhow::Result<()> {
    let text = std::str::from_utf8(line)?;
    match Line::parse(text).context("not a line of a ledger")? {
        Line::Sent(sent) => {
            let attempt = Attempt::new(sent.sent, sent.body.get());
            let earlier = attempts.insert(sent.sent, (attempt, false));
            ensure!(earlier.is_none(), "request {} is sent twice", sent.sent);
        }
        Line::Answer(mut answer) => {
            let number = answer.answer;
            let Some((attempt, answered)) = attempts.get_mut(&number) else {
                bail!("it answers request {number}, which was never sent");
            };
            ensure!(!*answered, "request {number} is answered twice");
            *answered = true;
            attempt.key = answer.idempotency_key.take();
            attempt.fate = answer.into_fate();
        }
    }
    Ok(())
}
