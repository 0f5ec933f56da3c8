//! Verification by HTTP alone: a GET of every `Location`, and a search for creates without one.

use std::collections::HashSet;

use hyper::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::verdict::Verdict;
use crate::client;
use crate::engine::{Answer, Failure};
use crate::ledger::{Attempt, Fate, Header, Stored};
use crate::target::{Target, given_location};

/// Connections to read back over.
const READERS: usize = 32;

/// The longest list that a search answers; a full one may have left the wanted row out.
const SEARCH_LIMIT: usize = 50;

/// Exclusivity of the API: whether rows of other clients may have come since the run began. By HTTP
/// alone such rows look like rows that this run stored twice, so a greater count then breaks no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusivity {
    /// The run has just ended, and had the API to itself.
    Exclusive,
    /// The run ended some time ago; others may have written.
    Shared,
}

enum Search {
    /// The ids of the rows with this content that no answer named, and whether these are all.
    Rows {
        same: Vec<String>,
        all: bool,
    },
    Undetermined,
}

enum Claim {
    Row(String),
    None,
    Undetermined,
}

#[derive(Deserialize)]
struct FoundRow {
    id: String,
    #[serde(flatten)]
    stored: Stored,
    #[serde(default)]
    created_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Judges a ledger by what the API answers.
///
/// # Errors
/// When the API cannot be asked at all.
pub fn verify_by_http(
    target: &Target,
    header: &Header,
    attempts: &[Attempt],
    exclusivity: Exclusivity,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict {
        way: "http".to_owned(),
        ..Verdict::default()
    };
    let answered_ids: HashSet<&str> = attempts
        .iter()
        .filter_map(|attempt| location(attempt)?.rsplit('/').next())
        .collect();
    let mut read: Vec<(&Attempt, Uri)> = Vec::new();
    let mut search: Vec<(&Attempt, Uri)> = Vec::new();
    for attempt in attempts {
        count_fate(&mut verdict, attempt);
        match location(attempt).map(given_location) {
            Some(Some(uri)) => read.push((attempt, uri)),
            Some(None) if matches!(attempt.fate, Fate::Acknowledged { .. }) => {
                verdict.without_location += 1;
                verdict.find(format!(
                    "request {} has an unreadable Location",
                    attempt.number
                ));
            }
            _ => match search_for(target, attempt)? {
                Some(searched) => search.push(searched),
                // A payload that can never be a row.
                None if matches!(attempt.fate, Fate::Unknown { .. }) => verdict.unknown_absent += 1,
                None => {}
            },
        }
    }
    let uris: Vec<Uri> = read.iter().map(|(_, uri)| uri.clone()).collect();
    client::get_each(target, &uris, READERS, |place, result| {
        judge_read(&mut verdict, read[place].0, &uris[place], result);
    })?;
    let uris: Vec<Uri> = search.iter().map(|(_, uri)| uri.clone()).collect();
    let mut found: Vec<(&Attempt, Vec<String>, bool)> = Vec::new();
    client::get_each(target, &uris, READERS, |place, result| {
        let attempt = search[place].0;
        match judge_search(attempt, &answered_ids, result) {
            Search::Rows { same, all } => found.push((attempt, same, all)),
            Search::Undetermined => verdict.undetermined += 1,
        }
    })?;
    let mut claimed: HashSet<String> = HashSet::new();
    for (attempt, same, all) in found {
        match claim(target, header, same, all, &mut claimed) {
            Claim::Row(id) => judge_found(&mut verdict, attempt, &id),
            Claim::None if matches!(attempt.fate, Fate::Unknown { .. }) => {
                verdict.unknown_absent += 1
            }
            Claim::None => {}
            Claim::Undetermined => verdict.undetermined += 1,
        }
    }
    verdict.count_by_api = client::count(target)?;
    verdict.count_expected = header
        .count_before
        .filter(|_| verdict.undetermined == 0)
        .map(|before| before + verdict.acknowledged - verdict.lost + verdict.unknown_stored);
    if exclusivity == Exclusivity::Shared && verdict.count_by_api > verdict.count_expected {
        verdict.count_expected = None;
    }
    Ok(verdict)
}

fn location(attempt: &Attempt) -> Option<&str> {
    match &attempt.fate {
        Fate::Acknowledged { location }
        | Fate::Unknown {
            location: Some(location),
        } => Some(location),
        _ => None,
    }
}

fn count_fate(verdict: &mut Verdict, attempt: &Attempt) {
    verdict.creates += 1;
    match attempt.fate {
        Fate::Acknowledged { .. } => verdict.acknowledged += 1,
        Fate::AcknowledgedWithoutLocation => {
            verdict.acknowledged += 1;
            verdict.without_location += 1;
            verdict.find(format!(
                "request {} was 201 without a Location",
                attempt.number
            ));
        }
        Fate::Refused => verdict.refused += 1,
        Fate::Rejected { .. } => verdict.rejected += 1,
        Fate::Unsent => verdict.unsent += 1,
        Fate::Unknown { .. } => {}
    }
}

/// A search by the whole name, for an outcome that only the content can settle.
fn search_for<'a>(
    target: &Target,
    attempt: &'a Attempt,
) -> anyhow::Result<Option<(&'a Attempt, Uri)>> {
    let Some(warrior) = attempt
        .warrior
        .as_ref()
        .filter(|warrior| !warrior.name.is_empty())
    else {
        return Ok(None);
    };
    if !matches!(attempt.fate, Fate::Refused | Fate::Unknown { .. }) {
        return Ok(None);
    }
    let path = format!(
        "/warrior?t={}",
        utf8_percent_encode(&warrior.name, NON_ALPHANUMERIC)
    );
    Ok(Some((attempt, target.uri(&path)?)))
}

fn judge_read(
    verdict: &mut Verdict,
    attempt: &Attempt,
    uri: &Uri,
    result: Result<Answer, Failure>,
) {
    let acknowledged = matches!(attempt.fate, Fate::Acknowledged { .. });
    match result {
        Ok(answer) if answer.status == 404 && acknowledged => {
            verdict.lost += 1;
            verdict.find(format!("LOST: request {} was 201, {uri}", attempt.number));
        }
        Ok(answer) if answer.status == 404 => verdict.unknown_absent += 1,
        Ok(answer) if answer.status == 200 => {
            let row: Option<FoundRow> = serde_json::from_slice(&answer.body).ok();
            let different = match (&row, &attempt.warrior) {
                (Some(row), Some(sent)) => sent.differences(&row.stored),
                _ => vec!["everything"],
            };
            if !different.is_empty() {
                verdict.altered += 1;
                let number = attempt.number;
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

fn judge_search(
    attempt: &Attempt,
    answered_ids: &HashSet<&str>,
    result: Result<Answer, Failure>,
) -> Search {
    let Ok(answer) = result else {
        return Search::Undetermined;
    };
    let Ok(rows) = serde_json::from_slice::<Vec<FoundRow>>(&answer.body) else {
        return Search::Undetermined;
    };
    let all = rows.len() < SEARCH_LIMIT;
    let same = rows
        .into_iter()
        .filter(|row| {
            Some(&row.stored) == attempt.warrior.as_ref() && !answered_ids.contains(row.id.as_str())
        })
        .map(|row| row.id)
        .collect();
    Search::Rows { same, all }
}

/// The first of these rows that is no other request's and not older than the run: rows of an
/// earlier run with the same seed have the same content, and come first.
fn claim(
    target: &Target,
    header: &Header,
    same: Vec<String>,
    all: bool,
    claimed: &mut HashSet<String>,
) -> Claim {
    for id in same {
        if claimed.contains(&id) {
            continue;
        }
        match created_at(target, &id) {
            Some(Some(at)) if (at.timestamp_micros() as f64) < header.since() * 1e6 => {}
            Some(_) => {
                claimed.insert(id.clone());
                return Claim::Row(id);
            }
            None => return Claim::Undetermined,
        }
    }
    if all {
        Claim::None
    } else {
        Claim::Undetermined
    }
}

/// When a row was made, if the server says; `None` when the row could not be read.
fn created_at(target: &Target, id: &str) -> Option<Option<chrono::DateTime<chrono::Utc>>> {
    let answer = client::get(target, &format!("/warrior/{id}")).ok()?;
    let row: FoundRow = serde_json::from_slice(&answer.body).ok()?;
    Some(row.created_at)
}

/// A row of this run with this content and an id that no answer named.
fn judge_found(verdict: &mut Verdict, attempt: &Attempt, id: &str) {
    if matches!(attempt.fate, Fate::Unknown { .. }) {
        verdict.unknown_stored += 1;
    } else {
        verdict.refused_but_stored += 1;
        verdict.find(format!(
            "request {} was refused (503) but is row {id}",
            attempt.number
        ));
    }
}
