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
//! Two servers count their names alike. So a pooler that has just ceased to keep them must not be given any, lest the
//! backend that it lends knows the name as the other server's: behind a pooler every name is given in a transaction
//! that proves that it is kept, and takes it back else. Only a pooler that hands its backends' own keys on would be taken
//! for a session of its own, until it lends another backend at a trial.
//!
//! Figures: `bench/results/2026-11-27-named-statements/README.md`.

use std::cell::Cell;
use std::time::{Duration, Instant};

use postgres::error::{Severity, SqlState};
use postgres::types::{ToSql, Type};
use postgres::{Client, RowIter, Statement, Transaction};
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

/// Whether a statement may go out by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Where names are kept.
    WhereKept,
    /// Not at all: PostgreSQL would soon plan it without its parameters, and they decide which index serves it.
    Never,
}

/// The statements that a connection has named.
pub(super) struct Named {
    /// The backend that the login was promised; see [`super::greeting`].
    backend: Option<i32>,
    kept: bool,
    /// Whether it is PostgreSQL's own session that keeps them.
    own: bool,
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
            own: false,
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
        self.forget();
        let row = client.query_typed_one(WAY, &[])?;
        let (backend, large): (i32, bool) = (row.try_get("backend")?, row.try_get("large")?);
        self.own = self.backend == Some(backend);
        // Also names that were given before: a pooler may have prepared them anew, with other types in their results.
        self.kept = large && (self.own || give(client, WAY, &[])?.is_some());
        Ok(())
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
        naming: Naming,
        sql: &'static str,
        params: Parameters<'_>,
        sent: &Cell<bool>,
        read: impl Fn(RowIter<'_>) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        if self.kept && naming == Naming::WhereKept {
            match self.bind(client, sql, params, sent) {
                Ok(None) => self.forget(),
                Ok(Some(rows)) => {
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

    /// None where its name would not be kept.
    fn bind<'c>(
        &mut self,
        client: &'c mut Client,
        sql: &'static str,
        params: Parameters<'_>,
        sent: &Cell<bool>,
    ) -> Result<Option<RowIter<'c>>, postgres::Error> {
        let Some(statement) = self.statement(client, sql, params)? else {
            return Ok(None);
        };
        sent.set(true);
        let values = params.iter().map(|(value, _)| *value);
        client.query_raw(&statement, values).map(Some)
    }

    fn statement(
        &mut self,
        client: &mut Client,
        sql: &'static str,
        params: Parameters<'_>,
    ) -> Result<Option<Statement>, postgres::Error> {
        if let Some((_, statement)) = self.by_text.iter().find(|(text, _)| *text == sql) {
            return Ok(Some(statement.clone()));
        }
        let types: Vec<Type> = params.iter().map(|(_, of)| of.clone()).collect();
        let statement = match self.own {
            true => Some(client.prepare_typed(sql, &types)?),
            false => give(client, sql, &types)?,
        };
        (self.by_text).extend(statement.iter().map(|given| (sql, given.clone())));
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
    /// The failure of a write, which cannot be in doubt before it was sent. `distributed`: the rows went on to other nodes.
    pub(super) fn of_write(self, distributed: bool) -> StoreError {
        match self.sent {
            true if distributed => StoreError::of_distributed_write(self.error),
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

/// Gives a statement a name that a pooler keeps; none where it would not be kept, and then none is left behind.
///
/// A pooler that keeps names calls a statement by its text, so that two names are one statement to PostgreSQL.
fn give(
    client: &mut Client,
    sql: &'static str,
    types: &[Type],
) -> Result<Option<Statement>, postgres::Error> {
    // One backend for all of it.
    let mut transaction = client.transaction()?;
    let named = |transaction: &mut Transaction<'_>| -> Result<i64, postgres::Error> {
        transaction.query_typed_one(WAY, &[])?.try_get("named")
    };
    let before = named(&mut transaction)?;
    let given = transaction.prepare_typed(sql, types)?;
    let other = transaction.prepare_typed(sql, types)?;
    let is_kept = named(&mut transaction)? < before + 2;
    // Closed where they were given.
    drop(other);
    let given = is_kept.then_some(given);
    transaction.commit()?;
    Ok(given)
}
