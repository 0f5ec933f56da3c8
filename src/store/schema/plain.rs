//! `schema apply --plain`: one table with ordinary indexes, without triggers and functions, for any engine that speaks
//! PostgreSQL; and what a database with it lacks.
//!
//! It adopts no table, and keeps nothing beside the rows: an apply makes the tables, the indexes and the rights, each step
//! repeatable after a kill.

use std::time::Duration;

use postgres::Client;

use super::applied::Applied;
use super::error::{Doing, SchemaError};
use super::examination::Examination;
use super::indexes::{self, Index, index};
use super::others::{self, Others};
use super::record::{self, NUMBER};
use super::{direct, exclusive, locks, owners, roles, shape, tables};
use crate::store::SchemaKind;

/// The tables, for review.
pub(super) const TABLES: &str = include_str!("../../../schema/plain/tables.sql");
/// The rights on them; an apply gives those that are missing.
pub(super) const GRANTS: &str = include_str!("../sql/schema/plain/grants.sql");
/// The same, for review.
pub(super) const GRANTS_PRINTED: &str = include_str!("../sql/schema/plain/grants_printed.sql");
/// The distribution of the table over Citus' workers, for review.
pub(super) const DISTRIBUTE: &str = include_str!("../../../schema/plain/distribute.sql");
/// The extension of the indexes of substrings, for review. A trusted one: CREATE on the database is enough to install it.
pub(super) const TRIGRAMS: &str = "create extension if not exists pg_trgm;\n";

/// The index that serves every engine.
const ORDER: &[Index] = &[index!(
    "schema/plain",
    "idx_warrior_plain_order",
    "USING btree (name COLLATE \"C\", id)"
)];

/// The indexes of substrings, where the extension pg_trgm is there. In the order in which they are built.
const BY_TRIGRAM: &[Index] = &[
    index!(
        "schema/plain",
        "idx_warrior_plain_names",
        "USING gin (lower((name)::text) gin_trgm_ops)"
    ),
    index!(
        "schema/plain",
        "idx_warrior_plain_dates",
        "USING gin ((((((lpad((EXTRACT(year FROM dob))::text, 4, '0'::text) || '-'::text) || \
         lpad((EXTRACT(month FROM dob))::text, 2, '0'::text)) || '-'::text) || lpad((EXTRACT(day FROM \
         dob))::text, 2, '0'::text))) gin_trgm_ops)"
    ),
    index!(
        "schema/plain",
        "idx_warrior_plain_skills",
        "USING gin (lower(((((((((((((((((((((((((((((((((((((((COALESCE(fight_skills[1], ''::text) || \
         chr(31)) || COALESCE(fight_skills[2], ''::text)) || chr(31)) || COALESCE(fight_skills[3], ''::text)) \
         || chr(31)) || COALESCE(fight_skills[4], ''::text)) || chr(31)) || COALESCE(fight_skills[5], \
         ''::text)) || chr(31)) || COALESCE(fight_skills[6], ''::text)) || chr(31)) || \
         COALESCE(fight_skills[7], ''::text)) || chr(31)) || COALESCE(fight_skills[8], ''::text)) || chr(31)) \
         || COALESCE(fight_skills[9], ''::text)) || chr(31)) || COALESCE(fight_skills[10], ''::text)) || \
         chr(31)) || COALESCE(fight_skills[11], ''::text)) || chr(31)) || COALESCE(fight_skills[12], \
         ''::text)) || chr(31)) || COALESCE(fight_skills[13], ''::text)) || chr(31)) || \
         COALESCE(fight_skills[14], ''::text)) || chr(31)) || COALESCE(fight_skills[15], ''::text)) || \
         chr(31)) || COALESCE(fight_skills[16], ''::text)) || chr(31)) || COALESCE(fight_skills[17], \
         ''::text)) || chr(31)) || COALESCE(fight_skills[18], ''::text)) || chr(31)) || \
         COALESCE(fight_skills[19], ''::text)) || chr(31)) || COALESCE(fight_skills[20], ''::text))) \
         gin_trgm_ops)"
    ),
];

/// What of the engine decides about the schema.
struct Engine {
    has_trigrams: bool,
    offers_trigrams: bool,
    has_citus: bool,
    /// Whether its catalog is that of PostgreSQL.
    is_postgresql: bool,
    dbname: String,
}

impl Engine {
    /// What others have put on the table, where the catalog tells.
    fn others(&self, client: &mut Client) -> Result<Others, SchemaError> {
        match self.is_postgresql {
            true => others::look(client),
            false => Ok(Others::default()),
        }
    }
}

/// The plain schema of a database.
pub(super) struct Plain {
    /// The number of the last apply that finished.
    pub(super) number: Option<i32>,
}

/// As [`apply_for`](super::apply_for), of the plain schema. `distribute`: over the workers of Citus, by id.
///
/// # Errors
/// As [`SchemaError`] says; what was done until then stays, and the next run goes on from there.
pub fn apply_plain(
    client: &mut Client,
    runtime: &str,
    distribute: bool,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    direct::prepare(client)?;
    exclusive::run(client, progress, |client, progress| {
        roles::name(client, runtime)?;
        owners::check(client)?;
        let mut done = apply_steps(client, distribute, progress)?;
        roles::grant(client, GRANTS)?;
        done.notes.extend(roles::limit(client, runtime)?);
        client
            .execute(include_str!("../sql/schema/plain/finished.sql"), &[&NUMBER])
            .doing("writing down the schema's version")?;
        Ok(done)
    })
}

fn apply_steps(
    client: &mut Client,
    distribute: bool,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    if record::read(client)?.is_some() || !tables::applied(client)?.is_empty() {
        return Err(SchemaError::IsTuned);
    }
    match read(client)? {
        Some(plain) => record::refuse_newer_number(plain.number)?,
        None if shape::look(client)?.is_some() => return Err(SchemaError::InTheWay),
        None => {}
    }
    let engine = look(client)?;
    let others = engine.others(client)?;
    if !others.obstacles.is_empty() {
        return Err(SchemaError::Obstacles(others.obstacles));
    }
    if distribute && !engine.has_citus {
        return Err(SchemaError::NoCitus {
            dbname: engine.dbname,
        });
    }
    let mut done = Applied {
        schema: SchemaKind::Plain,
        version: NUMBER,
        ..Applied::default()
    };
    if engine.offers_trigrams && !engine.has_trigrams {
        client
            .batch_execute(TRIGRAMS)
            .doing("creating the extension pg_trgm")?;
        direct::set_session(client)?;
    }
    client
        .batch_execute(TABLES)
        .doing("creating the tables of the plain schema")?;
    shape::check(client)?;
    if distribute && !is_distributed(client)? {
        progress("distributing public.warrior over the workers, by id".to_owned());
        client
            .batch_execute(DISTRIBUTE)
            .doing("distributing public.warrior")?;
    }
    locks::set_lock_timeout(client, Duration::ZERO)?;
    for index in wanted(engine.offers_trigrams) {
        if indexes::build_one(client, index, progress)? {
            done.indexes.push(index.name);
        }
    }
    done.notes.extend(without_trigrams(engine.offers_trigrams));
    done.notes.extend(others.notes);
    Ok(done)
}

/// What the database has of the plain schema; none where no apply has made its tables.
pub(super) fn read(client: &mut Client) -> Result<Option<Plain>, SchemaError> {
    let doing = "asking for the version of the plain schema";
    let present = client
        .query_one(include_str!("../sql/schema/plain/present.sql"), &[])
        .doing(doing)?;
    if !present.get::<_, bool>("present") {
        return Ok(None);
    }
    let row = client
        .query_opt(include_str!("../sql/schema/plain/recorded.sql"), &[])
        .doing(doing)?;
    let number = row.and_then(|row| row.get("number"));
    Ok(Some(Plain { number }))
}

/// Refuses a database with the plain schema, for a command that serves the tuned one alone.
///
/// # Errors
/// `refusal`.
pub(super) fn refuse(client: &mut Client, refusal: SchemaError) -> Result<(), SchemaError> {
    match read(client)? {
        None => Ok(()),
        Some(_) => Err(refusal),
    }
}

/// Compares the plain schema of a database with this program's, changing nothing.
///
/// # Errors
/// When the database cannot be asked.
pub(super) fn examine(
    client: &mut Client,
    runtime: &str,
    plain: &Plain,
) -> Result<Examination, SchemaError> {
    let mut found = Examination {
        schema: SchemaKind::Plain,
        applied: plain.number,
        begun: plain.number.is_none(),
        ..Examination::default()
    };
    if let Err(newer) = record::refuse_newer_number(plain.number) {
        found.newer = Some(newer.to_string());
        return Ok(found);
    }
    found.reshaped = shape::reshaped(client)?;
    let engine = look(client)?;
    let there = indexes::existing(client)?;
    let wanted: Vec<&Index> = wanted(engine.has_trigrams).collect();
    found.indexes = indexes::wanting(wanted.iter().copied(), &there);
    found.other_indexes = indexes::differing(wanted.iter().copied(), &there);
    found.exposed = roles::exposed(client, &[])?;
    if plain.number != Some(NUMBER) && found.indexes.is_empty() {
        found.unfinished = Some("the last apply has not finished".to_owned());
    }
    found.no_role = roles::missing(client, runtime)?;
    found.notes.extend(without_trigrams(engine.has_trigrams));
    let others = engine.others(client)?;
    found.obstacles = others.obstacles;
    found.notes.extend(others.notes);
    Ok(found)
}

/// All indexes, for review.
pub(super) fn all_indexes() -> impl Iterator<Item = &'static Index> {
    wanted(true)
}

fn wanted(trigrams: bool) -> impl Iterator<Item = &'static Index> {
    ORDER.iter().chain(if trigrams { BY_TRIGRAM } else { &[] })
}

fn without_trigrams(there: bool) -> Option<String> {
    (!there).then(|| {
        "the extension pg_trgm is not there, so that no index finds a part of a name, a date or a skill: searches read \
         rows in the order of names, and those for rare terms all of them; where it can be installed, run `warrior-api \
         schema apply --plain` again"
            .to_owned()
    })
}

fn look(client: &mut Client) -> Result<Engine, SchemaError> {
    let row = client
        .query_one(include_str!("../sql/schema/plain/look.sql"), &[])
        .doing("asking for extensions")?;
    let has_trigrams = row.get("has_trigrams");
    Ok(Engine {
        has_trigrams,
        offers_trigrams: has_trigrams || row.get("offers_trigrams"),
        has_citus: row.get("has_citus"),
        is_postgresql: row.get("is_postgresql"),
        dbname: row.get("dbname"),
    })
}

fn is_distributed(client: &mut Client) -> Result<bool, SchemaError> {
    let row = client
        .query_one(include_str!("../sql/schema/plain/distributed.sql"), &[])
        .doing("asking whether public.warrior is distributed")?;
    Ok(row.get("distributed"))
}
