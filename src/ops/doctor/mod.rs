//! The doctor: looks for what is wrong with a stack, changes nothing, and says what mends it.
//!
//! *Gathering* (`gather`) logs in and asks; every login and every question has a deadline, and sessions past the pooler
//! are read only. *Judging* (`checks`) makes findings of that evidence and asks nothing, so that what cannot be brought
//! about can be tried. What could not be looked at is a part of the report.

mod catalogue;
mod checks;
mod evidence;
mod finding;
mod gather;
mod place;

pub use catalogue::KINDS;
pub use finding::{Finding, Kind, Level, Report, Unseen};

use self::place::{NoPlace, Place};
use crate::config::{ConfigError, DoctorArgs};

/// The version of the report's shape.
const FORMAT: u32 = 1;

/// Looks at what `args` name.
///
/// # Errors
/// When a setting is malformed, or an accepted name is that of no finding.
pub fn examine(args: &DoctorArgs) -> Result<Report, ConfigError> {
    check_names(&args.accept)?;
    let place = match Place::find(args) {
        Ok(place) => place,
        Err(NoPlace::Usage(e)) => return Err(e),
        Err(NoPlace::Stack(e)) => {
            let sentence = e.to_string();
            let (seen, mend) = sentence.split_once("; ").unwrap_or((&sentence, ""));
            let unreachable = catalogue::DATABASE_UNREACHABLE.finding(seen, mend);
            let place = "an embedded stack".to_owned();
            return Ok(Report::of(place, vec![unreachable], Vec::new(), args));
        }
    };
    let evidence = gather::gather(args, &place)?;
    let mut report = Report::of(
        described(&place, &evidence),
        checks::judge(&evidence, &place),
        checks::unseen(&evidence, &place),
        args,
    );
    report.notes = checks::notes(&evidence);
    Ok(report)
}

impl Report {
    fn of(place: String, findings: Vec<Finding>, unseen: Vec<Unseen>, args: &DoctorArgs) -> Self {
        let reached = findings
            .iter()
            .all(|finding| finding.kind != &catalogue::DATABASE_UNREACHABLE);
        let is_accepted =
            |finding: &Finding| args.accept.iter().any(|name| name == finding.kind.name);
        let (accepted, findings): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_accepted);
        Self {
            format: FORMAT,
            place,
            reached,
            healthy: findings.is_empty() && unseen.iter().all(|part| !part.essential),
            findings,
            accepted,
            unseen,
            notes: Vec::new(),
        }
    }
}

fn described(place: &Place, evidence: &evidence::Evidence) -> String {
    let mut text = place.described();
    if let Some(Ok(console)) = &evidence.console {
        text += &format!("; {}", console.version);
    }
    if let Ok(database) = &evidence.database {
        text += &format!("; PostgreSQL {}", database.version);
    }
    text
}

fn check_names(names: &[String]) -> Result<(), ConfigError> {
    match names
        .iter()
        .find(|name| KINDS.iter().all(|kind| kind.name != name.as_str()))
    {
        None => Ok(()),
        Some(name) => {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            Err(ConfigError(format!(
                "--accept {name}: there is no finding of that name; there are {}",
                known.join(", ")
            )))
        }
    }
}
