//! Local times that a change of the clocks makes ambiguous: those that a zone skipped, and those that it had twice.

use std::fmt;

use warrior_duckdb::Connection;

use super::{CONVERTED, Source, UTC, literal};
use crate::migrate::error::{Doing, MigrateError};

/// How many values of `created_at` name no instant, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockChanges {
    zone: String,
    /// Times that the zone skipped when its clocks went forward.
    pub skipped: i64,
    /// Times that it had twice when they went back.
    pub twice: i64,
}

impl Source {
    /// Counts them; none where every time is an instant.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn clock_changes(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<ClockChanges>, MigrateError> {
        let (Some(column), Some(zone)) = (&self.created_at, &self.time_zone) else {
            return Ok(None);
        };
        if zone == UTC {
            return Ok(None);
        }
        let (time, quoted_zone) = (format!("{}::timestamp", column.quoted), literal(zone));
        let instant = format!("timezone({quoted_zone}, {time})");
        // Clocks change by an hour, and by half of one on Lord Howe Island.
        let again = [
            "- interval 60 minute",
            "- interval 30 minute",
            "+ interval 30 minute",
            "+ interval 60 minute",
        ]
        .map(|away| format!("timezone({quoted_zone}, {instant} {away}) = {time}"))
        .join(" or ");
        let mut number = |what: &str| {
            let sql = format!(
                "select count(*) from {} where case when {time} between {CONVERTED} then {what} else false end",
                self.table
            );
            connection
                .number(&sql)
                .doing("looking for changes of the clocks")
        };
        let skipped = number(&format!("timezone({quoted_zone}, {instant}) <> {time}"))?;
        let twice = number(&again)?;
        let zone = zone.clone();
        Ok((skipped + twice > 0).then_some(ClockChanges {
            zone,
            skipped,
            twice,
        }))
    }
}

impl fmt::Display for ClockChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} times of created_at are in an hour that {} skipped, and are taken as an hour later; {} are in one that it had \
             twice, and are taken as the second",
            self.skipped, self.zone, self.twice
        )
    }
}
