//! How the values of a file are to be read: by the flags, which have to mean something there, else by a guess.

use warrior_duckdb::Connection;

use super::{Source, UTC, ZONED, literal};
use crate::config::{SkillsText, SourceArgs};
use crate::migrate::error::{Doing, MigrateError};
use crate::migrate::skills::between_commas;

/// Longest part of a skill that is shown as an example.
const EXAMPLE_MAX: usize = 60;

impl Source {
    /// What has no effect was meant otherwise.
    pub(super) fn check_flags(&self, args: &SourceArgs) -> Result<(), MigrateError> {
        let idle = |flag: &str, why: String| {
            Err(MigrateError::Shape(format!(
                "{flag} has no effect: {why}; leave it out, or see if --table and --map name the right columns"
            )))
        };
        if args.skills.is_some() && self.skills.kind != "VARCHAR" {
            let why = format!("fight_skills of {} is {}", self.table, self.skills.kind);
            return idle("--skills", why);
        }
        match &self.created_at {
            _ if !args.names_zone() => Ok(()),
            None => idle("--time-zone", format!("{} has no created_at", self.table)),
            Some(column) if column.kind == ZONED => idle(
                "--time-zone",
                format!(
                    "created_at of {} is {ZONED}, which is an instant",
                    self.table
                ),
            ),
            Some(_) => Ok(()),
        }
    }

    /// How skills are written in a column of text: as JSON where most of its values begin as an array does.
    pub(super) fn form_of_skills(
        &self,
        connection: &mut Connection,
        args: &SourceArgs,
    ) -> Result<Option<SkillsText>, MigrateError> {
        match self.skills.kind.as_str() {
            "JSON" => Ok(Some(SkillsText::Json)),
            "VARCHAR" if args.skills.is_some() => Ok(args.skills),
            "VARCHAR" => {
                let sql = format!(
                    "select coalesce(sum(case when {0} is null or trim({0}) = '' then 0 when ltrim({0}) like '[%' then 1 else \
                     -1 end), 0)::bigint from {1}",
                    self.skills.quoted, self.table
                );
                let balance = connection.number(&sql).doing("looking at the skills")?;
                Ok(Some(match balance > 0 {
                    true => SkillsText::Json,
                    false => SkillsText::Comma,
                }))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn zone(
        &self,
        connection: &mut Connection,
        args: &SourceArgs,
    ) -> Result<Option<String>, MigrateError> {
        let local = (self.created_at.as_ref()).is_some_and(|column| column.kind != ZONED);
        let zone = match &args.time_zone {
            _ if !local => return Ok(None),
            None => return Ok(Some(UTC.to_owned())),
            Some(zone) if zone.eq_ignore_ascii_case(UTC) => return Ok(Some(UTC.to_owned())),
            Some(zone) => zone,
        };
        let known = format!(
            "select timezone({}, timestamp '2000-01-01')::varchar",
            literal(zone)
        );
        connection.text(&known).map_err(|e| {
            MigrateError::Shape(format!(
                "--time-zone {zone} cannot be used: {e}; name a zone as Europe/Berlin, or leave the flag out for UTC"
            ))
        })?;
        Ok(Some(zone.clone()))
    }

    /// Refuses to write skills in a form that was guessed, unless every text has it and one has a comma: whoever reads the file
    /// would take them for something else.
    ///
    /// # Errors
    /// The flag that says the form, or DuckDB's.
    pub(in crate::migrate) fn expect_certain_form(
        &self,
        connection: &mut Connection,
    ) -> Result<(), MigrateError> {
        if !self.guessed || self.skills_text != Some(SkillsText::Comma) {
            return Ok(());
        }
        let sql = format!(
            "select (bool_or(instr({0}, ',') > 0) and not bool_or(regexp_matches({0}, '^\\s*[\\[{{(]')
                     or instr({0}, ',') = 0 and regexp_matches(trim({0}), '[;|\\t\\n]'))) is true
               from {1}",
            self.skills.quoted, self.table
        );
        match connection.text(&format!("select ({sql})::varchar")).doing("looking at the skills")?.as_deref() {
            Some("true") => Ok(()),
            _ => Err(MigrateError::Shape(
                "the texts of the skills do not show that they stand between commas, and new ones would be written so; say \
                 which form the file has: --skills comma or --skills json"
                    .to_owned(),
            )),
        }
    }

    /// What was taken for skills between commas, by an example; none where that was not guessed.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn example_of_commas(
        &self,
        connection: &mut Connection,
    ) -> Result<Option<String>, MigrateError> {
        if !self.guessed || self.skills_text != Some(SkillsText::Comma) {
            return Ok(None);
        }
        let sql = format!(
            "select {0} from {1} where trim({0}) <> '' order by instr({0}, ',') = 0, rowid limit 1",
            self.skills.quoted, self.table
        );
        let text = connection.text(&sql).doing("looking at the skills")?;
        Ok(text.map(|text| {
            let skills: Vec<String> = between_commas(&text)
                .map(|skill| format!("{:?}", skill.chars().take(EXAMPLE_MAX).collect::<String>()))
                .collect();
            format!(
                "skills are taken to stand between commas, since --skills does not say: the first are {}",
                skills.join(", ")
            )
        }))
    }
}
