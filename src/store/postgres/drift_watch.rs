//! Drift monitoring: each server samples the table now and then, and shows the changes that its triggers have missed.

use std::time::{Duration, Instant};

use postgres::types::Type;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::drift::Drift;
use super::error::StoreError;
use super::pool::Connections;
use super::session::Session;
use crate::store::Access;

const DRIFT: &str = include_str!("../sql/drift.sql");

/// Time between two looks of a server. A look reads 32 pages, some 1,500 rows.
const LOOK_INTERVAL: Duration = Duration::from_secs(600);
/// The same after a look that came to nothing: the table was held, or the count took too long.
const LOOK_RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Most rows that a server counts, since the count reads the whole table.
const COUNT_ROWS_MAX: i64 = 1_000_000;

/// The drift as a server shows it: a gauge for each part, and a line of the log.
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
        show(&Drift::sound(), true, &gauges);
        Self {
            gauges,
            due: Instant::now(),
            counts: true,
        }
    }

    /// Looks, if it is time to. A failure is no warning: a schema or database that is missing is reported elsewhere.
    pub(super) fn look(&mut self, store: &Connections) {
        if Instant::now() < self.due {
            return;
        }
        let Ok(connected) = store.connect(Access::Aside) else {
            return;
        };
        let looked =
            connected
                .until_role_limit()
                .drift(if self.counts { COUNT_ROWS_MAX } else { 0 });
        let wait = match &looked {
            // A look that fails may have taken all of its time, and a backend that was given up goes on counting: so
            // the next look is cheap, and the one after that comes late.
            Err(_) if !self.counts => LOOK_INTERVAL,
            Err(_) | Ok(None) => LOOK_RETRY_INTERVAL,
            Ok(Some(_)) => LOOK_INTERVAL,
        };
        self.due = Instant::now() + wait;
        let counts = std::mem::replace(&mut self.counts, looked.is_ok());
        match looked {
            Ok(None) => {}
            Err(e) => {
                tracing::debug!(error = %e, "the table was not compared with what its triggers keep")
            }
            Ok(Some(drift)) => {
                show(&drift, counts, &self.gauges);
                for fault in drift.faults() {
                    tracing::warn!("{fault}");
                }
            }
        }
    }
}

impl Session<'_> {
    /// Compares the table with the count and lists that its triggers keep; counts at most `count_rows_max` rows. None
    /// while another session holds the table.
    fn drift(&mut self, count_rows_max: i64) -> Result<Option<Drift>, StoreError> {
        let rows = self.rows(DRIFT, &[(&count_rows_max, Type::INT8)])?;
        let row = rows
            .first()
            .ok_or_else(|| StoreError::malformed("drift.sql gave no row"))?;
        Drift::of_row(row).map_err(StoreError::of_row)
    }
}

/// Shows a drift of a look that was to count the rows, or not to.
fn show(drift: &Drift, counts: bool, gauges: &Family<Part, Gauge>) {
    let triggers = i64::try_from(drift.triggers.len()).unwrap_or(i64::MAX);
    for (part, value) in [
        ("triggers", Some(triggers)),
        // What a look left out is as it was found the last time; of a table that is too large nothing is known.
        (
            "count",
            match drift.counted {
                Some(counted) => Some(counted - drift.kept),
                None => counts.then_some(0),
            },
        ),
        ("skills", Some(drift.skills)),
        ("letters", Some(drift.letters)),
        ("locale", Some(i64::from(!drift.folds))),
    ] {
        if let Some(value) = value {
            gauges.get_or_create(&Part { part }).set(value);
        }
    }
}
