//! Named statements: parsed once for each connection, and planned once for each backend, where the way to PostgreSQL
//! keeps them.
//!
//! They are kept by PostgreSQL itself, and by poolers that give each text a name of their own (PgBouncer since 1.21, with
//! `max_prepared_statements`). Other poolers in transaction mode lose them, or take one client's for another's: so a
//! statement is named only after a trial on its own connection, which leaves nothing behind. All others go out unnamed, in
//! one round trip.
//!
//! A name can be lost later: by DDL that changes a result, by `DEALLOCATE ALL`, by a pooler that is set otherwise. That
//! shows before anything is executed, so the same statement goes out unnamed at once.
//!
//! Figures: `bench/results/2026-11-27-named-statements/README.md`.

use std::cell::Cell;
use std::time::{Duration, Instant};

use postgres::error::{Severity, SqlState};
use postgres::types::{ToSql, Type};
use postgres::{Client, RowIter, Statement};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::error::StoreError;
use super::sqlstate;
use crate::throttle::throttled;

const WAY: &str = include_str!("../sql/named/way.sql");

/// Time until the way is tried again: a pooler may be set otherwise, a table may have grown.
pub(super) const TRIAL_INTERVAL: Duration = Duration::from_secs(30);

/// A statement's parameters with their types.
pub(super) type Parameters<'p> = &'p [(&'p (dyn ToSql + Sync), Type)];

/// The statements that a connection has named.
pub(super) struct Named {
    /// The backend that the login was promised; see [`super::greeting`].
    backend: Option<i32>,
    kept: bool,
    due: Instant,
    /// When a name was lost last.
    lost: Option<Instant>,
    by_text: Vec<(&'static str, Statement)>,
    forms: Forms,
}

/// How many statements went out in each form.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms {
    named: Counter,
    unnamed: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Form {
    form: &'static str,
}

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: postgres::Error,
    /// Whether it had been sent. Before that, only its name was to be given, which executes nothing.
    pub(super) sent: bool,
}

impl Forms {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let forms = Family::<Form, Counter>::default();
        let of = |form| forms.get_or_create_owned(&Form { form });
        let (named, unnamed) = (of("named"), of("unnamed"));
        let help = "Statements of batches: named ones are parsed and planned once";
        registry.register("warrior_statements", help, forms);
        Self { named, unnamed }
    }
}

impl Named {
    /// None yet, on a connection whose login was promised `backend`.
    pub(super) fn new(backend: Option<i32>, forms: Forms) -> Self {
        Self {
            backend,
            kept: false,
            due: Instant::now(),
            lost: None,
            by_text: Vec::new(),
            forms,
        }
    }

    pub(super) fn are_kept(&self) -> bool {
        self.kept
    }

    /// Whether it is time for a [trial](Self::try_way).
    pub(super) fn are_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Finds out whether the way keeps names.
    ///
    /// # Errors
    /// When a question fails; until the next trial nothing is named then.
    pub(super) fn try_way(&mut self, client: &mut Client) -> Result<(), postgres::Error> {
        self.due = Instant::now() + TRIAL_INTERVAL;
        let tried = keeps_names(client, self.backend);
        self.kept = matches!(tried, Ok(true));
        // A pooler may have prepared them anew, with other types in their results.
        self.by_text.clear();
        tried.map(drop)
    }

    /// Gives up all names until the next trial: another client's settings may have made their plans.
    pub(super) fn forget(&mut self) {
        self.due = Instant::now() + TRIAL_INTERVAL;
        self.kept = false;
        self.by_text.clear();
    }

    /// Runs a statement, and gives its rows to `read`. `sent` is raised once it may have been executed.
    pub(super) fn run<T>(
        &mut self,
        client: &mut Client,
        sql: &'static str,
        params: Parameters<'_>,
        sent: &Cell<bool>,
        read: impl Fn(RowIter<'_>) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        if self.kept {
            match self.bind(client, sql, params, sent) {
                Ok(rows) => {
                    self.forms.named.inc();
                    return read(rows);
                }
                Err(e) if is_loss(&e) => self.lose(&e),
                Err(e) => return Err(e),
            }
        }
        sent.set(true);
        self.forms.unnamed.inc();
        let params = params.iter().map(|(value, of)| (*value, of.clone()));
        read(client.query_typed_raw(sql, params)?)
    }

    fn bind<'c>(
        &mut self,
        client: &'c mut Client,
        sql: &'static str,
        params: Parameters<'_>,
        sent: &Cell<bool>,
    ) -> Result<RowIter<'c>, postgres::Error> {
        let statement = self.statement(client, sql, params)?;
        sent.set(true);
        client.query_raw(&statement, params.iter().map(|(value, _)| *value))
    }

    fn statement(
        &mut self,
        client: &mut Client,
        sql: &'static str,
        params: Parameters<'_>,
    ) -> Result<Statement, postgres::Error> {
        if let Some((_, statement)) = self.by_text.iter().find(|(text, _)| *text == sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = params.iter().map(|(_, of)| of.clone()).collect();
        let statement = client.prepare_typed(sql, &types)?;
        self.by_text.push((sql, statement.clone()));
        Ok(statement)
    }

    /// Forgets all names. On a direct connection new ones mend it, so they are tried at once; a pooler may give back the
    /// statement that was lost, so after a second loss they wait.
    fn lose(&mut self, error: &postgres::Error) {
        let now = Instant::now();
        let again = self.lost.is_some_and(|at| now < at + TRIAL_INTERVAL);
        self.due = if again { now + TRIAL_INTERVAL } else { now };
        self.lost = Some(now);
        self.kept = false;
        self.by_text.clear();
        throttled!(
            INFO,
            "a named statement was lost, and went out unnamed: after a change of the schema, RECONNECT on PgBouncer's \
             console has all of them planned anew",
            lane = "",
            reason = error.code().map_or("", SqlState::code).to_owned(),
            error = error.as_db_error().map(tracing::field::display)
        );
    }
}

impl Failure {
    /// The failure of a write, which cannot be in doubt before it was sent.
    pub(super) fn of_write(self) -> StoreError {
        match self.sent {
            true => StoreError::of_write(self.error),
            false => StoreError::of_unsent(self.error),
        }
    }
}

/// Whether this error says that a name is worth nothing any more. It comes before anything is executed.
fn is_loss(error: &postgres::Error) -> bool {
    error.as_db_error().is_some_and(|e| {
        e.parsed_severity() == Some(Severity::Error) && sqlstate::is_lost_name(e.code().code())
    })
}

/// Whether a name that is given on this connection is there later. Either the session is its own: a pooler that lends
/// backends promises keys of its own. Or it names what it is given by the text: two names are one statement then.
fn keeps_names(client: &mut Client, promised: Option<i32>) -> Result<bool, postgres::Error> {
    let row = client.query_typed_one(WAY, &[])?;
    let (backend, large): (i32, bool) = (row.try_get("backend")?, row.try_get("large")?);
    if !large || promised == Some(backend) {
        return Ok(large);
    }
    // One backend for all of it.
    let mut trial = client.transaction()?;
    let before: i64 = trial.query_typed_one(WAY, &[])?.try_get("named")?;
    let names = (trial.prepare(WAY)?, trial.prepare(WAY)?);
    let after: i64 = trial.query_one(&names.1, &[])?.try_get("named")?;
    // Closed where they were given.
    drop(names);
    trial.commit()?;
    Ok(after < before + 2)
}
