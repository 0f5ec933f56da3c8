//! The way by HTTP alone: a GET of every `Location`, and a search for what has none.

use std::collections::HashSet;

use hyper::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Others, Verdict};
use crate::client;
use crate::engine::{Answer, Failure};
use crate::ledger::{Entry, Fate, Header, Stored};
use crate::target::{Target, given_location};

/// Connections to read back over.
const READERS: usize = 32;

/// The longest list that a search answers; a full one may have left the wanted row out.
const SEARCH_LIMIT: usize = 50;

/// Judges a ledger by what the API answers.
pub fn verify_by_http(
    target: &Target,
    header: &Header,
    entries: &[Entry],
    others: Others,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict {
        way: "http".to_owned(),
        ..Verdict::default()
    };
    let told: HashSet<&str> = entries
        .iter()
        .filter_map(|entry| location(entry)?.rsplit('/').next())
        .collect();
    let mut read: Vec<(&Entry, Uri)> = Vec::new();
    let mut search: Vec<(&Entry, Uri)> = Vec::new();
    for entry in entries {
        count_fate(&mut verdict, entry);
        match location(entry).map(given_location) {
            Some(Some(uri)) => read.push((entry, uri)),
            Some(None) if matches!(entry.fate, Fate::Acknowledged { .. }) => {
                verdict.without_location += 1;
                verdict.find(format!(
                    "request {} has an unreadable Location",
                    entry.number
                ));
            }
            _ => match search_for(target, entry)? {
                Some(searched) => search.push(searched),
                // A payload that can never be a row.
                None if matches!(entry.fate, Fate::Unknown { .. }) => verdict.unknown_absent += 1,
                None => {}
            },
        }
    }
    let uris: Vec<Uri> = read.iter().map(|(_, uri)| uri.clone()).collect();
    client::get_each(target, &uris, READERS, |place, result| {
        judge_read(&mut verdict, read[place].0, &uris[place], result);
    })?;
    let uris: Vec<Uri> = search.iter().map(|(_, uri)| uri.clone()).collect();
    let mut found: Vec<(&Entry, String)> = Vec::new();
    client::get_each(target, &uris, READERS, |place, result| {
        let entry = search[place].0;
        match judge_search(entry, &told, result) {
            Search::Found(id) => found.push((entry, id)),
            Search::Absent if matches!(entry.fate, Fate::Unknown { .. }) => {
                verdict.unknown_absent += 1;
            }
            Search::Absent => {}
            Search::Undetermined => verdict.undetermined += 1,
        }
    })?;
    let mut claimed: HashSet<String> = HashSet::new();
    for (entry, id) in found {
        judge_found(
            &mut verdict,
            target,
            header,
            entry,
            &id,
            claimed.insert(id.clone()),
        )?;
    }
    verdict.count_told = client::count(target)?;
    verdict.count_expected = header
        .count_before
        .filter(|_| verdict.undetermined == 0)
        .map(|before| before + verdict.acknowledged - verdict.lost + verdict.unknown_stored);
    if others == Others::MayHaveWritten && verdict.count_told > verdict.count_expected {
        verdict.count_expected = None;
    }
    Ok(verdict)
}

enum Search {
    Found(String),
    Absent,
    Undetermined,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(flatten)]
    stored: Stored,
    #[serde(default)]
    created_at: Option<chrono::DateTime<chrono::Utc>>,
}

fn location(entry: &Entry) -> Option<&str> {
    match &entry.fate {
        Fate::Acknowledged { location }
        | Fate::Unknown {
            location: Some(location),
        } => Some(location),
        _ => None,
    }
}

fn count_fate(verdict: &mut Verdict, entry: &Entry) {
    verdict.creates += 1;
    match entry.fate {
        Fate::Acknowledged { .. } => verdict.acknowledged += 1,
        Fate::AcknowledgedWithoutLocation => {
            verdict.acknowledged += 1;
            verdict.without_location += 1;
            verdict.find(format!(
                "request {} was 201 without a Location",
                entry.number
            ));
        }
        Fate::Refused => verdict.refused += 1,
        Fate::Rejected { .. } => verdict.rejected += 1,
        Fate::Unsent => verdict.unsent += 1,
        Fate::Unknown { .. } => {}
    }
}

/// A search by the whole name, for an outcome that only the content can settle.
fn search_for<'a>(target: &Target, entry: &'a Entry) -> anyhow::Result<Option<(&'a Entry, Uri)>> {
    let Some(warrior) = entry
        .warrior
        .as_ref()
        .filter(|warrior| !warrior.name.is_empty())
    else {
        return Ok(None);
    };
    if !matches!(entry.fate, Fate::Refused | Fate::Unknown { .. }) {
        return Ok(None);
    }
    let path = format!(
        "/warrior?t={}",
        utf8_percent_encode(&warrior.name, NON_ALPHANUMERIC)
    );
    Ok(Some((entry, target.uri(&path)?)))
}

fn judge_read(verdict: &mut Verdict, entry: &Entry, uri: &Uri, result: Result<Answer, Failure>) {
    let acknowledged = matches!(entry.fate, Fate::Acknowledged { .. });
    match result {
        Ok(answer) if answer.status == 404 && acknowledged => {
            verdict.lost += 1;
            verdict.find(format!("LOST: request {} was 201, {uri}", entry.number));
        }
        Ok(answer) if answer.status == 404 => verdict.unknown_absent += 1,
        Ok(answer) if answer.status == 200 => {
            let row: Option<Row> = serde_json::from_slice(&answer.body).ok();
            let different = match (&row, &entry.warrior) {
                (Some(row), Some(sent)) => sent.differences(&row.stored),
                _ => vec!["everything"],
            };
            if !different.is_empty() {
                verdict.altered += 1;
                let number = entry.number;
                verdict.find(format!(
                    "{uri} differs from request {number} in {}",
                    different.join(", ")
                ));
            } else if acknowledged {
                verdict.present += 1;
            } else {
                verdict.unknown_stored += 1;
            }
        }
        Ok(answer) => {
            verdict.undetermined += 1;
            verdict.find(format!(
                "GET {uri} answered {}, neither 200 nor 404",
                answer.status
            ));
        }
        Err(failure) => {
            verdict.undetermined += 1;
            verdict.find(format!("GET {uri}: {failure}"));
        }
    }
}

fn judge_search(entry: &Entry, told: &HashSet<&str>, result: Result<Answer, Failure>) -> Search {
    let Ok(answer) = result else {
        return Search::Undetermined;
    };
    let Ok(rows) = serde_json::from_slice::<Vec<Row>>(&answer.body) else {
        return Search::Undetermined;
    };
    let same = rows
        .iter()
        .find(|row| Some(&row.stored) == entry.warrior.as_ref() && !told.contains(row.id.as_str()));
    match same {
        Some(row) => Search::Found(row.id.clone()),
        None if rows.len() < SEARCH_LIMIT => Search::Absent,
        None => Search::Undetermined,
    }
}

/// A row with this content and an id that nobody was told: this run's, unless it is older.
fn judge_found(
    verdict: &mut Verdict,
    target: &Target,
    header: &Header,
    entry: &Entry,
    id: &str,
    first: bool,
) -> anyhow::Result<()> {
    let answer = client::get(target, &format!("/warrior/{id}"))?;
    let created = serde_json::from_slice::<Row>(&answer.body)
        .ok()
        .and_then(|row| row.created_at);
    let older = created.is_some_and(|at| at.timestamp() < header.started_at - 5);
    let unknown = matches!(entry.fate, Fate::Unknown { .. });
    match (unknown, older || !first) {
        (true, true) => verdict.unknown_absent += 1,
        (true, false) => verdict.unknown_stored += 1,
        (false, true) => {}
        (false, false) => {
            verdict.refused_but_stored += 1;
            verdict.find(format!(
                "request {} was refused (503) but is row {id}",
                entry.number
            ));
        }
    }
    Ok(())
}
