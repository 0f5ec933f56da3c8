//! Drift: rows that the triggers did not see, so that searches miss them and counts are off. Logical replication,
//! disabled triggers and restored copies cause drift without an error, so every server samples the table now and then
//! ([`drift_watch`](super::drift_watch)), and `schema status` compares all rows.

use postgres::Row;

/// The differences between the table and the count and lists that its triggers keep.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Triggers of ours that are missing, or do not fire always.
    pub(crate) triggers: Vec<String>,
    /// Whether `lower()` folds beyond ASCII.
    pub(crate) folds: bool,
    /// The count as it is kept.
    pub(crate) kept: i64,
    /// The rows, where they were counted.
    pub(crate) counted: Option<i64>,
    /// Rows that were looked at.
    pub(crate) sampled: i64,
    /// Skills among them that are not listed.
    pub(crate) skills: i64,
    /// Their names and skills that have a letter which is not listed.
    pub(crate) letters: i64,
}

impl Drift {
    /// None when the table was held by another session.
    pub(crate) fn of_row(row: &Row) -> Result<Option<Self>, postgres::Error> {
        let Some(sampled) = row.try_get(4)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            triggers: row.try_get(0)?,
            folds: row.try_get(1)?,
            kept: row.try_get(2)?,
            counted: row.try_get(3)?,
            sampled,
            skills: row.try_get(5)?,
            letters: row.try_get(6)?,
        }))
    }

    /// One sentence for each fault, with its consequence and the command that mends it.
    pub(crate) fn faults(&self) -> Vec<String> {
        let recount = "run `warrior-api schema recount`";
        let mut faults = Vec::new();
        if !self.triggers.is_empty() {
            faults.push(format!(
                "rows are stored that no search finds and no count knows, since these triggers of public.warrior are \
                 missing, disabled, or do not fire always: {}; {recount}",
                self.triggers.join(", ")
            ));
        }
        if let Some(counted) = self.counted.filter(|counted| *counted != self.kept) {
            faults.push(format!(
                "the count says {}, and public.warrior has {counted} rows; {recount}",
                self.kept
            ));
        }
        if self.skills + self.letters > 0 {
            faults.push(format!(
                "searches miss rows: of {} that were looked at, {} skills, and the letters of {} names and skills are not \
                 listed; {recount}",
                self.sampled, self.skills, self.letters
            ));
        }
        if !self.folds {
            faults.push(
                "searches are case-sensitive beyond ASCII, since the database's locale does not fold É to é; copy the \
                 warriors into a database made with: create database warrior_api template template0 encoding 'UTF8' \
                 locale 'C.UTF-8'"
                    .to_owned(),
            );
        }
        faults
    }

    pub(crate) fn sound() -> Self {
        Self {
            folds: true,
            ..Self::default()
        }
    }
}
