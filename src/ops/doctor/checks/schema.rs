//! The schema, the rows, and the role that serves.

use super::super::catalogue as kind;
use super::super::evidence::{Evidence, Schema};
use super::super::finding::{Finding, Kind, Unseen};
use super::super::gather::COUNT_ROWS_MAX;
use super::super::place::Place;
use crate::store::Drift;
use crate::store::schema::{Compared, Examination};

const ROWS: &str = "the rows beside what their triggers keep";

pub(super) fn check(seen: &Schema, evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, sentence) in [
        (&kind::LOCALE, &seen.locale),
        (&kind::SCHEMA_FOREIGN, &seen.foreign),
    ] {
        findings.extend(sentence.as_deref().map(|sentence| split(kind, sentence)));
    }
    if !seen.not_ours.is_empty() {
        let statements: Vec<&str> = seen.not_ours.iter().map(String::as_str).collect();
        findings.push(kind::SCHEMA_OWNER.finding(
            format!(
                "{} parts of the schema belong to another role",
                statements.len()
            ),
            place.administrator(&statements),
        ));
    }
    if let Some(examination) = &seen.examination {
        findings.extend(of_schema(examination, place));
        if let Compared::Drift(drift) = &examination.compared {
            findings.extend(of_rows(drift, seen.locale.is_none(), place));
        }
    }
    findings.extend(of_role(seen, evidence, place));
    findings
}

fn of_schema(found: &Examination, place: &Place) -> Vec<Finding> {
    let apply = || place.ours(found.schema.apply_command());
    let mut findings = Vec::new();
    let behind: Vec<&str> = found
        .migrations
        .iter()
        .chain(&found.functions)
        .chain(&found.triggers)
        .chain(&found.unfinished)
        .map(String::as_str)
        .collect();
    if found.applied.is_none() && !found.begun && found.newer.is_none() {
        findings
            .push(kind::SCHEMA_BEHIND.finding("the database has no schema of the API", apply()));
    } else if !behind.is_empty() {
        findings.push(kind::SCHEMA_BEHIND.finding(some(&behind), apply()));
    }
    if !found.indexes.is_empty() && found.applied.is_some() {
        findings.push(kind::INDEX_MISSING.finding(some(&found.indexes), apply()));
    }
    if !found.exposed.is_empty() {
        findings.push(kind::RIGHTS_EXPOSED.finding(some(&found.exposed), apply()));
    }
    for (kind, sentence) in [
        (&kind::SCHEMA_NEWER, &found.newer),
        (&kind::INDEX_FUNCTION, &found.indexed_function),
    ] {
        findings.extend(sentence.as_deref().map(|sentence| split(kind, sentence)));
    }
    if let Some(sentence) = &found.reshaped {
        // The differences are a list.
        let (seen, mend) = sentence.rsplit_once("; ").unwrap_or((sentence, ""));
        findings.push(kind::TABLE_RESHAPED.finding(seen, mend));
    }
    findings.extend(
        found
            .other_indexes
            .iter()
            .map(|sentence| split(&kind::INDEX_MISSING, sentence)),
    );
    findings.extend(
        found
            .obstacles
            .iter()
            .map(|sentence| split(&kind::TABLE_OBSTACLE, sentence)),
    );
    findings
}

fn of_rows(drift: &Drift, locale_is_new: bool, place: &Place) -> Vec<Finding> {
    let recount = || place.ours("schema recount");
    let mut findings = Vec::new();
    if !drift.triggers.is_empty() {
        let seen = format!(
            "missing, disabled, or not always firing: {}",
            drift.triggers.join(", ")
        );
        findings.push(kind::TRIGGERS_OFF.finding(seen, recount()));
    }
    if let Some(counted) = drift.counted.filter(|counted| *counted != drift.kept) {
        let seen = format!(
            "the count says {}, and public.warrior has {counted} rows",
            drift.kept
        );
        findings.push(kind::COUNT_DRIFT.finding(seen, recount()));
    }
    if drift.skills + drift.letters > 0 {
        let seen = format!(
            "of {} rows that were looked at, {} skills, and the letters of {} names and skills are not listed",
            drift.sampled, drift.skills, drift.letters
        );
        findings.push(kind::LISTS_DRIFT.finding(seen, recount()));
    }
    if !drift.folds && locale_is_new {
        findings.push(kind::LOCALE.finding(
            "lower() does not fold É to é in this database",
            "copy the warriors into a database made with: create database warrior_api template template0 encoding 'UTF8' \
             locale 'C.UTF-8'",
        ));
    }
    findings
}

fn of_role(seen: &Schema, evidence: &Evidence, place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &evidence.asked.role;
    let no_role = seen
        .examination
        .as_ref()
        .and_then(|found| found.no_role.as_deref());
    findings.extend(no_role.map(|sentence| split(&kind::ROLE_RIGHTS, sentence)));
    if seen.has_secret == Some(false) && !evidence.asked.own_secret {
        findings.push(kind::IDEMPOTENCY_SECRET.finding(
            "public.warrior_secret has no row, and IDEMPOTENCY_SECRET is not set",
            "openssl rand -hex 32 > idempotency.secret, and IDEMPOTENCY_SECRET_FILE=idempotency.secret on every server",
        ));
    }
    let Some(role) = &seen.role else {
        return findings;
    };
    let examination = seen.examination.as_ref();
    let has_schema = examination.is_some_and(|found| found.applied.is_some());
    let kind = examination.map(|found| found.schema).unwrap_or_default();
    if !role.missing.is_empty() && has_schema {
        let seen = format!("role {name} lacks: {}", role.missing.join(", "));
        let schema = role
            .missing
            .iter()
            .any(|right| right.starts_with("usage") || right.starts_with("connect"));
        let mend = match schema {
            true => place.administrator(&[
                &format!(
                    "grant connect on database {} to {name}",
                    evidence.asked.dbname
                ),
                &format!("grant usage on schema public to {name}"),
            ]),
            false => place.ours(kind.apply_command()),
        };
        findings.push(kind::ROLE_RIGHTS.finding(seen, mend));
    }
    if !role.powers.is_empty() {
        let powers = role.powers.join(", ");
        let without: Vec<String> = role
            .powers
            .iter()
            .map(|power| format!("no{power}"))
            .collect();
        findings.push(kind::ROLE_TOO_MIGHTY.finding(
            format!("role {name}, which serves requests, is {powers}"),
            match role.first {
                true => format!("{name} is the role that PostgreSQL was installed with, and has to stay what it is: make a role for \
                    requests, as postgres-conf/roles.sql does under the name warrior, and set POSTGRES_USER to it"),
                false => place.administrator(&[&format!("alter role {name} {}", without.join(" "))]),
            },
        ));
    }
    if role.schema_open {
        findings.push(kind::SCHEMA_OPEN.finding(
            "every role may create in the schema public",
            place.administrator(&["revoke create on schema public from public"]),
        ));
    }
    findings
}

pub(super) fn unseen(seen: &Schema) -> Vec<Unseen> {
    let mut unseen = seen.unseen.clone();
    let Some(found) = &seen.examination else {
        return unseen;
    };
    if found.history_hidden {
        let why = "it is shown to the owner and the monitor: set POSTGRES_OWNER_PASSWORD_FILE or POSTGRES_MONITOR_PASSWORD_FILE";
        unseen.push(Unseen::beside("the list of migrations", why));
    }
    match &found.compared {
        Compared::Failed(e) => {
            unseen.push(Unseen::new(
                ROWS,
                format!("{e}; warrior-api schema status takes its time"),
            ));
        }
        Compared::Held(holders) => {
            unseen.push(Unseen::new(ROWS, format!("{holders} holds the table")));
        }
        Compared::Drift(drift) if drift.counted.is_none() => {
            let why = format!(
                "the count says {}, more than the {COUNT_ROWS_MAX} rows that are counted here: warrior-api schema status",
                drift.kept
            );
            unseen.push(Unseen::beside("whether the count is right", why));
        }
        _ => {}
    }
    unseen
}

/// A sentence of a schema command: what was seen, and what to do.
fn split(kind: &'static Kind, sentence: &str) -> Finding {
    let (seen, mend) = sentence
        .split_once("; ")
        .unwrap_or((sentence, "warrior-api schema status"));
    kind.finding(seen, mend)
}

/// The first few, and how many more there are.
fn some<T: AsRef<str>>(lines: &[T]) -> String {
    const SHOWN: usize = 6;
    let mut text = lines
        .iter()
        .take(SHOWN)
        .map(AsRef::as_ref)
        .collect::<Vec<&str>>()
        .join("; ");
    if lines.len() > SHOWN {
        text += &format!("; and {} more", lines.len() - SHOWN);
    }
    text
}
