//! The schema commands: apply, status, print, recount.
//!
//! They run as the owner role on a direct connection, one at a time for each database. `apply` can be
//! killed at any point and run again: every migration can be repeated, and so can every step around
//! them. An existing table is adopted while the API that uses it goes on; what locks writers out is
//! taken for moments only, and given up and asked for again rather than waited for.

mod adopt;
mod error;
mod indexes;
mod others;
mod roles;
mod session;

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::Type;
use refinery::{Migration, Target};

pub use error::SchemaError;
pub use session::DIRECT_OPTIONS;

use super::drift::Drift;
use error::Doing;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The role that serves requests where no other is named.
pub const RUNTIME_ROLE: &str = "warrior";
/// The last migration that the indexes are built after; those that follow rely on them.
const BEFORE_INDEXES: i32 = 4;
/// The migration that brings what finds drift, and what repairs it.
const DRIFT: i32 = 14;
/// The migrations that put triggers on the table, and so lock its writers out for a moment.
const LOCKING: [i32; 4] = [2, 3, 7, 14];
/// Longest wait for a lock that writers queue behind.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// How often such a lock is asked for, with as long a pause in between.
const LOCK_ATTEMPTS: u32 = 60;

/// What `apply` did.
#[derive(Debug, Default)]
pub struct Applied {
    /// The version that the database has now.
    pub version: i32,
    /// The migrations that were run, by name.
    pub migrations: Vec<String>,
    /// Whether a table was there before the first migration.
    pub adopted: bool,
    /// The indexes that were built, by name.
    pub indexes: Vec<&'static str>,
    /// The longest time in one piece that writers of an existing table may have been locked out.
    pub writers_locked_out: Duration,
    /// What the operator should know or may do, each with its command.
    pub notes: Vec<String>,
}

/// What `status` found.
#[derive(Debug)]
pub struct Status {
    /// The version that the database has; `None` when no migration was ever run.
    pub applied: Option<i32>,
    /// The version that this program needs.
    pub current: i32,
    /// What stands between the two, or is missing beside them.
    pub pending: Vec<String>,
    /// What keeps the service from its promises, each with the command that mends it.
    pub faults: Vec<String>,
    /// What others have put on the table, and what it does to the answers.
    pub notes: Vec<String>,
}

/// What `recount` repaired.
#[derive(Debug, PartialEq, Eq)]
pub struct Recounted {
    /// Triggers that were missing, or did not fire always.
    pub triggers_mended: Vec<String>,
    /// The count as it was kept.
    pub before: i64,
    /// The count as it is.
    pub after: i64,
    /// Skills that the dictionary lacked.
    pub skills_added: i64,
    /// Dates that the dictionary lacked.
    pub dates_added: i64,
    /// Letters of names and skills that were not listed.
    pub letters_added: i64,
}

/// The version that this program needs.
#[must_use]
pub fn current_version() -> i32 {
    let versions = migrations().into_iter().map(|m| m.version());
    versions.max().unwrap_or(0)
}

/// Brings the database to [`current_version`], adopting a table that is there, for [`RUNTIME_ROLE`].
///
/// `progress` is given one line for each step.
///
/// # Errors
/// As [`SchemaError`] says; what was done until then stays, and the next run goes on from there.
pub fn apply(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    apply_for(client, RUNTIME_ROLE, progress)
}

/// As [`apply`], for another role that serves requests; it may be the one that owns everything.
///
/// # Errors
/// As those of [`apply`].
pub fn apply_for(
    client: &mut Client,
    runtime: &str,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    session::prepare(client)?;
    session::alone(client, progress, |client, progress| {
        roles::name(client, runtime)?;
        let mut done = apply_alone(client, progress)?;
        roles::grant(client)?;
        done.notes.extend(roles::limit(client, runtime)?);
        Ok(done)
    })
}

/// Compares the database with this program, and the table with what its triggers keep (its rows are counted),
/// changing nothing, for [`RUNTIME_ROLE`].
///
/// # Errors
/// When the database cannot be asked.
pub fn status(client: &mut Client) -> Result<Status, SchemaError> {
    status_for(client, RUNTIME_ROLE)
}

/// As [`status`], for another role that serves requests.
///
/// # Errors
/// As those of [`status`].
pub fn status_for(client: &mut Client, runtime: &str) -> Result<Status, SchemaError> {
    let applied = applied_version(client)?;
    let mut pending: Vec<String> = migrations()
        .iter()
        .filter(|m| applied.is_none_or(|version| m.version() > version))
        .map(|m| format!("migration {m} is not applied"))
        .collect();
    if applied.is_some() {
        pending.extend(indexes::wanting(&indexes::existing(client)?));
    }
    let mut faults = Vec::new();
    match session::check_server(client) {
        Ok(()) => {}
        Err(e @ SchemaError::Database { .. }) => faults.push(e.to_string()),
        Err(e) => return Err(e),
    }
    match roles::name(client, runtime) {
        Ok(()) => {}
        Err(e @ SchemaError::NoRole { .. }) => faults.push(e.to_string()),
        Err(e) => return Err(e),
    }
    let others = others::look(client)?;
    faults.extend(others.namesakes);
    faults.extend(others.obstacles);
    let mut notes = others.notes;
    if applied.is_some_and(|version| version >= DRIFT) {
        match drift(client, i64::MAX)? {
            Some(drift) => faults.extend(drift.faults()),
            None => notes.push(format!(
                "public.warrior is locked by {}, and was not compared with what its triggers keep",
                holders(client)?
            )),
        }
    }
    Ok(Status {
        applied,
        current: current_version(),
        pending,
        faults,
        notes,
    })
}

/// All SQL that `apply` may run, in its order, for review.
#[must_use]
pub fn print() -> String {
    let mut text = String::from(
        "-- Everything that `warrior-api schema apply` may run, in its order. Migrations that the table\n\
         -- refinery_schema_history names are skipped; the indexes are built outside a transaction, since\n\
         -- writers go on meanwhile.\n",
    );
    let (before, after): (Vec<_>, Vec<_>) = migrations()
        .into_iter()
        .partition(|m| m.version() <= BEFORE_INDEXES);
    for migration in &before {
        section(&mut text, &migration.to_string(), migration.sql());
    }
    for (title, sql) in adopt::STEPS {
        section(&mut text, title, Some(sql));
    }
    for index in &indexes::INDEXES {
        section(&mut text, index.name, Some(index.create));
    }
    for migration in &after {
        section(&mut text, &migration.to_string(), migration.sql());
    }
    section(
        &mut text,
        "every time: who may do what",
        Some(roles::GRANTS),
    );
    section(
        &mut text,
        "limits that the role lacks",
        Some(roles::SET_LIMITS),
    );
    text
}

/// Makes the triggers, the count and the dictionaries what they should be again; writers go on meanwhile, but for the
/// moment that a missing trigger takes.
///
/// # Errors
/// When the schema is not there, or the database refuses.
pub fn recount(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Recounted, SchemaError> {
    session::prepare(client)?;
    let applied = applied_version(client)?;
    if applied.is_none_or(|version| version < DRIFT) {
        return Err(SchemaError::TooOld {
            applied,
            needed: DRIFT,
        });
    }
    // A trigger of somebody else's is never replaced.
    let namesakes = others::look(client)?.namesakes;
    if !namesakes.is_empty() {
        return Err(SchemaError::Obstacles(namesakes));
    }
    // First, so that nothing slips through between them and the count.
    let found = drift(client, 0)?.map(|drift| drift.triggers);
    if found.as_ref().is_none_or(|triggers| !triggers.is_empty()) {
        locked(client, progress, |client| {
            client
                .query(include_str!("../sql/schema/mend_triggers.sql"), &[])
                .doing("mending the triggers of public.warrior")
                .map(drop)
        })?;
        session::set_lock_timeout(client, Duration::ZERO)?;
    }
    let row = client
        .query_one(include_str!("../sql/schema/recount.sql"), &[])
        .doing("counting again")?;
    Ok(Recounted {
        triggers_mended: found.unwrap_or_default(),
        before: row.get("count_before"),
        after: row.get("count_after"),
        skills_added: row.get("skills_added"),
        dates_added: row.get("dates_added"),
        letters_added: row.get("letters_added"),
    })
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema has version {}", self.version)?;
        if self.adopted {
            write!(
                f,
                "; an existing table was adopted, its writers were locked out for at most {} ms at a time",
                self.writers_locked_out.as_millis()
            )?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.applied {
            None => write!(
                f,
                "the database has no schema, this program needs version {}",
                self.current
            )?,
            Some(applied) => write!(
                f,
                "the database has schema version {applied}, this program needs {}",
                self.current
            )?,
        }
        self.pending
            .iter()
            .try_for_each(|line| write!(f, "\n{line}"))?;
        if !self.pending.is_empty() {
            write!(f, "\nrun `warrior-api schema apply`")?;
        }
        let more = self.faults.iter().chain(&self.notes);
        more.into_iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl fmt::Display for Recounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after - self.before {
            0 => write!(f, "the count was right: {}", self.after)?,
            drift => write!(
                f,
                "the count was {}, off by {drift}, and is {}",
                self.before, self.after
            )?,
        }
        write!(
            f,
            "; {} skills, {} dates and {} letters were not listed",
            self.skills_added, self.dates_added, self.letters_added
        )?;
        match self.triggers_mended.is_empty() {
            true => Ok(()),
            false => write!(
                f,
                "; these triggers were missing, disabled, or did not fire always, and do again: {}",
                self.triggers_mended.join(", ")
            ),
        }
    }
}

fn apply_alone(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    let from = applied_version(client)?;
    let known = current_version();
    if let Some(applied) = from.filter(|version| *version > known) {
        return Err(SchemaError::Newer { applied, known });
    }
    if let Some(applied) = from {
        compare(client, applied)?;
    }
    let existed = adopt::inspect(client)?;
    let mut done = Applied {
        version: known,
        adopted: existed && from.is_none(),
        ..Applied::default()
    };
    let pending = migrations()
        .into_iter()
        .filter(|m| from.is_none_or(|version| m.version() > version));
    let (before, after): (Vec<_>, Vec<_>) = pending.partition(|m| m.version() <= BEFORE_INDEXES);

    run(client, progress, &before, &mut done)?;
    let (held, note) = adopt::require_created_at(client, progress)?;
    done.writers_locked_out = done.writers_locked_out.max(held);
    done.notes.extend(note);
    session::set_lock_timeout(client, Duration::ZERO)?;
    done.indexes = indexes::build(client, progress)?;
    run(client, progress, &after, &mut done)?;
    done.notes
        .extend(indexes::unused(&indexes::existing(client)?));
    done.notes.extend(others::look(client)?.notes);
    Ok(done)
}

/// Runs migrations one by one.
fn run(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    pending: &[Migration],
    done: &mut Applied,
) -> Result<(), SchemaError> {
    for migration in pending {
        let doing = format!("running the migration {migration}");
        let took = locked(client, progress, |client| {
            migrate(client, migration.version(), &doing)
        })?;
        progress(format!(
            "ran the migration {migration} in {} ms",
            took.as_millis()
        ));
        if LOCKING.contains(&migration.version()) {
            done.writers_locked_out = done.writers_locked_out.max(took);
        }
        done.migrations.push(migration.to_string());
    }
    Ok(())
}

/// Compares the migrations that were applied, up to this version, with those of this program.
fn compare(client: &mut Client, version: i32) -> Result<(), SchemaError> {
    // It runs none, since none of these is missing.
    let compared = migrate(client, version, "comparing the applied migrations");
    let Err(SchemaError::Migration { source, .. }) = &compared else {
        return compared;
    };
    let (applied, is_ours) = match source.kind() {
        refinery::error::Kind::DivergentVersion(applied, ours) => {
            (applied.to_string(), applied.name() == ours.name())
        }
        refinery::error::Kind::MissingVersion(applied) => (applied.to_string(), false),
        _ => return compared,
    };
    if !is_ours {
        return Err(SchemaError::Foreign { applied });
    }
    let whoami = client
        .query_one(include_str!("../sql/schema/whoami.sql"), &[])
        .doing("asking for the database's name")?;
    Err(SchemaError::Earlier {
        applied,
        dbname: whoami.get(1),
    })
}

fn migrate(client: &mut Client, version: i32, doing: &str) -> Result<(), SchemaError> {
    let runner = embedded::migrations::runner().set_target(Target::Version(version));
    runner.run(client).map_err(|e| SchemaError::Migration {
        doing: doing.to_owned(),
        source: Box::new(e),
    })?;
    Ok(())
}

/// Runs a step that locks writers out. While it waits for its lock, writers queue behind it; so it
/// gives up after a second, lets them pass, and tries again. Gives the time of the longest attempt.
fn locked(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    mut step: impl FnMut(&mut Client) -> Result<(), SchemaError>,
) -> Result<Duration, SchemaError> {
    session::set_lock_timeout(client, LOCK_TIMEOUT)?;
    let mut longest = Duration::ZERO;
    for _ in 0..LOCK_ATTEMPTS {
        let started = Instant::now();
        let result = step(client);
        longest = longest.max(started.elapsed());
        match result {
            Ok(()) => return Ok(longest),
            Err(e) if e.is_lock_timeout() => {
                progress(format!(
                    "public.warrior is locked by {}; trying again",
                    holders(client)?
                ));
                thread::sleep(LOCK_TIMEOUT);
            }
            Err(e) => return Err(e),
        }
    }
    Err(SchemaError::Locked {
        attempts: LOCK_ATTEMPTS,
        holders: holders(client)?,
    })
}

/// Who holds locks on the table, as it stands in a sentence.
fn holders(client: &mut Client) -> Result<String, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/holders.sql"), &[])
        .doing("asking who holds locks")?;
    let one = |row: &postgres::Row| {
        let role: Option<String> = row.get("role");
        let state: Option<String> = row.get("state");
        format!(
            "server process {} (role {}, {})",
            row.get::<_, i32>("pid"),
            role.as_deref().unwrap_or("unknown"),
            state.as_deref().unwrap_or("state unknown")
        )
    };
    let all: Vec<String> = rows.iter().map(one).collect();
    Ok(match all.is_empty() {
        true => "a transaction that has just ended".to_owned(),
        false => all.join(", "),
    })
}

/// None while somebody holds the table.
fn drift(client: &mut Client, count_rows_max: i64) -> Result<Option<Drift>, SchemaError> {
    let doing = "comparing public.warrior with what its triggers keep";
    let rows = client
        .query_typed(
            include_str!("../sql/drift.sql"),
            &[(&count_rows_max, Type::INT8)],
        )
        .doing(doing)?;
    match rows.first() {
        Some(row) => Drift::of_row(row).doing(doing),
        None => Ok(None),
    }
}

fn applied_version(client: &mut Client) -> Result<Option<i32>, SchemaError> {
    let doing = "asking for the schema's version";
    let history = client
        .query_one(include_str!("../sql/schema/history.sql"), &[])
        .doing(doing)?;
    if !history.get::<_, bool>("present") {
        return Ok(None);
    }
    let row = client
        .query_one(include_str!("../sql/schema/applied.sql"), &[])
        .doing(doing)?;
    Ok(row.get("version"))
}

fn migrations() -> Vec<Migration> {
    let mut migrations = embedded::migrations::runner().get_migrations().clone();
    migrations.sort();
    migrations
}

fn section(text: &mut String, title: &str, sql: Option<&str>) {
    text.push_str("\n-- ==== ");
    text.push_str(title);
    text.push_str(" ====\n\n");
    text.push_str(sql.unwrap_or_default().trim_end());
    text.push('\n');
}
