//! Drift: rows that the triggers did not see, so that searches miss them and counts are off. Logical replication,
//! disabled triggers and restored copies do that without an error, so it is looked for: a sample now and then by
//! every server, all rows by `schema status`.

use std::time::{Duration, Instant};

use postgres::Row;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Inner;

/// How often a server looks. A look reads 32 pages, 1,500 rows: 21 ms of a processor (300,000 rows, by hand).
const INTERVAL: Duration = Duration::from_secs(600);
/// The same after a look that came to nothing: the table was held, or the count took too long.
const RETRY: Duration = Duration::from_secs(5);
/// Of a table with more rows, a server does not count them: 300,000 took it another 60 ms.
const COUNT_ROWS_MAX: i64 = 1_000_000;

/// What differs from what the triggers keep.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// Triggers of ours that are missing, or do not fire always.
    pub(super) triggers: Vec<String>,
    /// Whether `lower()` folds beyond ASCII.
    pub(super) folds: bool,
    /// The count as it is kept.
    pub(super) kept: i64,
    /// The rows, where they were counted.
    pub(super) counted: Option<i64>,
    /// Rows that were looked at.
    pub(super) sampled: i64,
    /// Skills among them that are not listed.
    pub(super) skills: i64,
    /// Dates among them that are not listed.
    pub(super) dates: i64,
    /// Their names and skills that have a letter which is not listed.
    pub(super) letters: i64,
}

/// What a server shows of the drift: a gauge for each part of it, and a line of the log.
#[derive(Debug)]
pub(super) struct Watch {
    gauges: Family<Part, Gauge>,
    due: Instant,
    /// Whether the next look counts the rows, too.
    counts: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    part: &'static str,
}

impl Watch {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let gauges = Family::<Part, Gauge>::default();
        let help =
            "What the triggers of the table have missed, as the last look found it: 0 is right";
        registry.register("warrior_drift", help, gauges.clone());
        Drift::sound().show(&gauges);
        Self {
            gauges,
            due: Instant::now(),
            counts: true,
        }
    }

    /// Looks, if it is time to. A failure is not told: a schema or database that is not there is told elsewhere.
    pub(super) fn look(&mut self, store: &Inner) {
        if Instant::now() < self.due {
            return;
        }
        let Ok(mut session) = store.session() else {
            return;
        };
        let looked = session.drift(if self.counts { COUNT_ROWS_MAX } else { 0 });
        let wait = match &looked {
            // A look that fails may have taken all of its time, and a backend that was given up counts on: so the
            // next one is cheap, and the one after that far.
            Err(_) if !self.counts => INTERVAL,
            Err(_) | Ok(None) => RETRY,
            Ok(Some(_)) => INTERVAL,
        };
        self.due = Instant::now() + wait;
        self.counts = looked.is_ok();
        match looked {
            Ok(None) => {}
            Err(e) => {
                tracing::debug!(error = %e, "the table was not compared with what its triggers keep")
            }
            Ok(Some(drift)) => {
                drift.show(&self.gauges);
                for fault in drift.faults() {
                    tracing::warn!("{fault}");
                }
            }
        }
    }
}

impl Drift {
    /// None when the table was held by somebody.
    pub(super) fn of_row(row: &Row) -> Result<Option<Self>, postgres::Error> {
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
            dates: row.try_get(6)?,
            letters: row.try_get(7)?,
        }))
    }

    /// One sentence for each fault, with its consequence and the command that mends it.
    pub(super) fn faults(&self) -> Vec<String> {
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
        if self.skills + self.dates + self.letters > 0 {
            faults.push(format!(
                "searches miss rows: of {} that were looked at, {} skills, {} dates, and the letters of {} names and \
                 skills are not listed; {recount}",
                self.sampled, self.skills, self.dates, self.letters
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

    fn sound() -> Self {
        Self {
            folds: true,
            ..Self::default()
        }
    }

    fn show(&self, gauges: &Family<Part, Gauge>) {
        let triggers = i64::try_from(self.triggers.len()).unwrap_or(i64::MAX);
        for (part, value) in [
            ("triggers", triggers),
            ("count", self.counted.unwrap_or(self.kept) - self.kept),
            ("skills", self.skills),
            ("dates", self.dates),
            ("letters", self.letters),
            ("locale", i64::from(!self.folds)),
        ] {
            gauges.get_or_create(&Part { part }).set(value);
        }
    }
}
