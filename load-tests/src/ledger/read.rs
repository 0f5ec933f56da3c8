//! The reader of a ledger.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;

use super::attempt::Attempt;
use super::line::{FORMAT, Header, Line};

/// Reads a ledger back, one attempt for each request that was sent.
///
/// A last line without an end is what a killed generator leaves: it is ignored, as the request
/// of such a line had not left.
pub fn read(path: &Path) -> anyhow::Result<(Header, Vec<Attempt>)> {
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
    let mut attempts: Vec<Option<Attempt>> = Vec::new();
    for line_number in 2.. {
        line.clear();
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            break;
        }
        let parsed = Line::parse(&line)
            .with_context(|| format!("{shown} line {line_number}: not a line of a ledger"))?;
        match parsed {
            Line::Sent(sent) => {
                let number = usize::try_from(sent.sent)?;
                if attempts.len() <= number {
                    attempts.resize_with(number + 1, || None);
                }
                attempts[number] = Some(Attempt::new(sent.sent, sent.body.get()));
            }
            Line::Answer(answer) => {
                let number = answer.answer;
                usize::try_from(number)
                    .ok()
                    .and_then(|number| attempts.get_mut(number)?.as_mut())
                    .with_context(|| {
                        format!("{shown} line {line_number}: answers {number}, never sent")
                    })?
                    .fate = answer.into_fate();
            }
        }
    }
    Ok((header, attempts.into_iter().flatten().collect()))
}
