//! Checks: functions from evidence to findings, which ask nothing more.

mod access;
mod activity;
mod pooler;
mod schema;
mod server;
mod sizes;
mod storage;
#[cfg(test)]
mod tests;

use super::evidence::Evidence;
use super::finding::{Finding, Unseen};
use super::gather::DISK;
use super::place::Place;

/// All findings, the most important first.
pub(super) fn judge(evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = access::check(evidence, place);
    findings.extend(sizes::check(evidence, place));
    if let Some(Ok(console)) = &evidence.console {
        findings.extend(pooler::check(console, evidence, place));
    }
    if let Ok(seen) = &evidence.schema {
        findings.extend(schema::check(seen, evidence, place));
    }
    if let Ok(database) = &evidence.database {
        findings.extend(storage::check(database, evidence, place));
        findings.extend(activity::check(database, place));
    }
    if let Ok(seen) = &evidence.server {
        findings.extend(server::check(seen));
    }
    findings.sort_by_key(|finding| finding.kind.level);
    findings
}

/// What was not looked at.
pub(super) fn unseen(evidence: &Evidence, place: &Place) -> Vec<Unseen> {
    let mut unseen = evidence.serving.unseen.clone();
    unseen.extend(
        evidence
            .console
            .as_ref()
            .and_then(|seen| seen.as_ref().err())
            .cloned(),
    );
    match &evidence.schema {
        Ok(seen) => unseen.extend(schema::unseen(seen)),
        Err(why) => unseen.push(why.clone()),
    }
    match &evidence.database {
        Ok(seen) => {
            unseen.extend(seen.unseen.iter().cloned());
            unseen.extend(activity::unseen(seen, place));
        }
        Err(why) => unseen.push(why.clone()),
    }
    match &evidence.server {
        Ok(seen) => unseen.extend(seen.figures.as_ref().err().cloned()),
        Err(why) => unseen.push(why.clone()),
    }
    unseen.extend(evidence.files.unseen.iter().cloned());
    if place.stack.is_none() {
        let why = "it is seen on PostgreSQL's own machine alone: df -h, for its data folder";
        unseen.push(Unseen::beside(DISK, why));
    }
    unseen
}

/// What is no fault, and good to know.
pub(super) fn notes(evidence: &Evidence) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(Ok(console)) = &evidence.console {
        notes.extend(pooler::notes(console));
    }
    if let Ok(seen) = &evidence.schema {
        notes.extend(
            seen.examination
                .iter()
                .flat_map(|examination| examination.notes.clone()),
        );
    }
    if let Ok(seen) = &evidence.server {
        notes.extend(server::notes(seen));
    }
    notes
}
