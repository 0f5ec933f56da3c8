//! The statement that adds rows to the table of a file, in the shape that this table has.

use super::{Source, UTC, literal};
use crate::config::SkillsText;

/// How rows are given to a table: as lists, one for each column, `$1` and so on.
#[derive(Clone, Debug)]
pub(in crate::migrate) struct Insert {
    pub(in crate::migrate) sql: String,
    /// How skills are written where they are a text; none: as a list.
    pub(in crate::migrate) skills: Option<SkillsText>,
    /// What `created_at` is given as; none where the table has no such column.
    pub(in crate::migrate) created_at: Option<Time>,
}

/// What a time is given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::migrate) enum Time {
    /// `timestamptz`.
    Zoned,
    /// `timestamp`, in UTC.
    Utc,
}

impl Source {
    pub(in crate::migrate) fn insert(&self) -> Insert {
        let (skills, skills_given) = match self.skills_text {
            None => (format!("fight_skills::{}", self.skills.kind), "varchar[][]"),
            Some(_) => (format!("fight_skills::{}", self.skills.kind), "varchar[]"),
        };
        let mut columns = vec![
            (&self.id, format!("id::{}", self.id.kind)),
            (&self.name, "name".to_owned()),
            (&self.dob, format!("dob::{}", self.dob.kind)),
            (&self.skills, skills),
        ];
        let mut given = format!(
            "unnest($1::varchar[]) as id, unnest($2::varchar[]) as name, unnest($3::date[]) as dob, \
             unnest($4::{skills_given}) as fight_skills"
        );
        let mut created_at = None;
        if let Some(column) = &self.created_at {
            let (time, kind, value) = match &self.time_zone {
                None => (Time::Zoned, "timestamptz", "created_at".to_owned()),
                Some(zone) if zone == UTC => (
                    Time::Utc,
                    "timestamp",
                    format!("created_at::{}", column.kind),
                ),
                Some(zone) => {
                    let local = format!("timezone({}, created_at)::{}", literal(zone), column.kind);
                    (Time::Zoned, "timestamptz", local)
                }
            };
            columns.push((column, value));
            given.push_str(&format!(", unnest($5::{kind}[]) as created_at"));
            created_at = Some(time);
        }
        let names: Vec<&str> = columns
            .iter()
            .map(|(column, _)| column.quoted.as_str())
            .collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        let sql = format!(
            "insert into {} ({}) select {} from (select {given})",
            self.table,
            names.join(", "),
            values.join(", ")
        );
        Insert {
            sql,
            skills: self.skills_text,
            created_at,
        }
    }
}
