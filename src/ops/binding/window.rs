//! The seconds between two figures: mean populations by Little's law, and what was so at both ends.
//!
//! A cumulative sum of seconds, divided by the time that passed, is the mean number of those that waited (or ran). It
//! counts a wait once that is over. A wait that is not over yet is in the gauges alone: what both ends show was so in
//! between, as far as one can tell.

use std::collections::BTreeMap;

use crate::dispatch::{LaneFigures, Reason};
use crate::ops::figures::{Figures, Lane, PgBouncer, Postgres, R2d2, Sampled, Stages};

/// Age above which a sample of PgBouncer or PostgreSQL says nothing about now.
const SAMPLE_AGE_MAX_SECONDS: f64 = 15.0;

/// Mean number of those that wait from which there is a queue: below one, the next in turn finds the place free.
pub(super) const SATURATED_WAITING: f64 = 1.0;

/// Time below which two figures are one, by what one batch does to them.
const SECONDS_MIN: f64 = 0.5;

/// Age of a batch from which its lane is looked at through its gauges.
const STUCK_SECONDS: f64 = 1.0;

/// Two samples that are this close are one.
const SAMPLES_APART_MIN_SECONDS: f64 = 0.05;

/// What happened between two figures.
pub(super) struct Window<'f> {
    pub(super) earlier: &'f Figures,
    pub(super) now: &'f Figures,
    /// Its length in seconds; positive.
    pub(super) seconds: f64,
}

/// Requests and workers of one lane: means over the window.
pub(super) struct LaneLoad<'f> {
    pub(super) lane: &'f Lane,
    /// Requests that waited for a worker.
    pub(super) waiting: f64,
    /// The share of its workers that were busy, 0 to 1.
    pub(super) busy: f64,
    /// The time that a request waited for a worker, in seconds; 0 when none was done.
    pub(super) wait_seconds: f64,
}

/// Requests by what they waited for or were done with: means over the window, of all lanes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Populations {
    /// Requests at the database.
    pub(super) database: f64,
    /// Requests that were parsed, or whose answers were rendered.
    pub(super) own: f64,
    /// Answers on their way to clients.
    pub(super) write: f64,
}

impl<'f> Window<'f> {
    /// None when too little time passed, or the server was started in between.
    pub(super) fn between(earlier: &'f Figures, now: &'f Figures) -> Option<Self> {
        let seconds = now.at - earlier.at;
        let restarted = now.uptime_seconds < earlier.uptime_seconds;
        (seconds >= SECONDS_MIN && !restarted).then_some(Self {
            earlier,
            now,
            seconds,
        })
    }

    /// A mean of what a sum of seconds, or a counter, went up by, per second.
    pub(super) fn mean(&self, of: impl Fn(&Figures) -> f64) -> f64 {
        (of(self.now) - of(self.earlier)).max(0.0) / self.seconds
    }

    /// What a counter went up by.
    pub(super) fn rise(&self, of: impl Fn(&Figures) -> u64) -> u64 {
        of(self.now).saturating_sub(of(self.earlier))
    }

    pub(super) fn lanes(&self) -> Vec<LaneLoad<'f>> {
        self.now.lanes.iter().map(|lane| self.lane(lane)).collect()
    }

    fn lane(&self, lane: &'f Lane) -> LaneLoad<'f> {
        let before = self.earlier.lanes.iter().find(|l| l.lane == lane.lane);
        let queued = |figures: &Figures| of_stage(figures, &lane.lane, |s| s.queue_seconds);
        let done = |figures: &Figures| of_stage(figures, &lane.lane, |s| s.requests as f64);
        // An attempt this old counts nowhere yet, nor do the requests that wait for its worker.
        let stuck = lane.oldest_batch_seconds >= STUCK_SECONDS.min(self.seconds / 2.0);
        let at_both_ends = |of: fn(&Lane) -> usize| match (stuck, before) {
            (true, Some(before)) => of(before).min(of(lane)) as f64,
            _ => 0.0,
        };
        let worked = self.mean(|figures| {
            let lane = figures.lanes.iter().find(|l| l.lane == lane.lane);
            lane.map_or(0.0, |lane| lane.batch_seconds)
        });
        let workers = lane.workers.max(1) as f64;
        let requests = self.mean(done);
        LaneLoad {
            lane,
            waiting: self.mean(queued).max(at_both_ends(|lane| lane.waiting)),
            busy: (worked.max(at_both_ends(|lane| lane.busy)) / workers).min(1.0),
            wait_seconds: match requests > 0.0 {
                true => self.mean(queued) / requests,
                false => 0.0,
            },
        }
    }

    pub(super) fn populations(&self) -> Populations {
        let sum = |of: fn(&Stages) -> f64| {
            self.mean(|figures| figures.stages.values().map(of).sum::<f64>())
        };
        Populations {
            database: sum(|s| s.database_seconds),
            own: sum(|s| s.parse_seconds + s.render_seconds),
            write: sum(|s| s.write_seconds),
        }
    }

    /// Requests that were refused for this reason, in all lanes.
    pub(super) fn refused(&self, reason: Reason) -> u64 {
        let name = LaneFigures::reason(reason);
        let of_lane = |lane: &Lane| lane.refused.get(&name).copied().unwrap_or(0);
        self.rise(|figures| figures.lanes.iter().map(of_lane).sum())
    }

    /// Answers that were given.
    pub(super) fn answers(&self) -> u64 {
        self.rise(|figures| figures.answers.iter().map(|a| a.count).sum())
    }

    /// PgBouncer as it is now, when its sample is of now.
    pub(super) fn pgbouncer(&self) -> Option<&'f PgBouncer> {
        fresh(self.now.pgbouncer.as_ref())
    }

    /// PostgreSQL as it is now, when its sample is of now.
    pub(super) fn postgres(&self) -> Option<&'f Postgres> {
        fresh(self.now.postgres.as_ref())
    }

    /// PostgreSQL as it was at the start, when that was sampled then and anew since.
    pub(super) fn postgres_before(&self) -> Option<&'f Postgres> {
        let of = |figures: &'f Figures| figures.postgres.as_ref();
        self.between_samples(of)?;
        fresh(of(self.earlier))
    }

    /// What PgBouncer's sums of seconds and counters went up by, per second.
    pub(super) fn pooler_mean(&self, of: impl Fn(&PgBouncer) -> f64) -> f64 {
        let sampled = |figures: &'f Figures| figures.pgbouncer.as_ref();
        let both = fresh(sampled(self.earlier)).zip(self.pgbouncer());
        let Some(((before, now), seconds)) = both.zip(self.between_samples(sampled)) else {
            return 0.0;
        };
        (of(now) - of(before)).max(0.0) / seconds
    }

    /// The time between the samples of both ends, which are taken at times of their own; none where they are one.
    fn between_samples<F: 'f>(
        &self,
        of: impl Fn(&'f Figures) -> Option<&'f Sampled<F>>,
    ) -> Option<f64> {
        let taken = |figures: &'f Figures| Some(figures.at - of(figures)?.age_seconds);
        let seconds = taken(self.now)? - taken(self.earlier)?;
        (seconds > SAMPLES_APART_MIN_SECONDS).then_some(seconds)
    }

    /// Clients that waited in PgBouncer: the mean of the waits that ended, or those that wait at both ends.
    pub(super) fn pooler_waiting(&self) -> f64 {
        let sampled = |figures: &'f Figures| figures.pgbouncer.as_ref();
        let both = fresh(sampled(self.earlier)).zip(self.pgbouncer());
        let at_both_ends = both
            .filter(|_| self.between_samples(sampled).is_some())
            .map_or(0, |(before, now)| {
                before.clients_waiting.min(now.clients_waiting)
            });
        self.pooler_mean(|p| p.wait_seconds)
            .max(at_both_ends as f64)
    }

    /// Active backends of PostgreSQL by what they wait for: means of both samples. `cpu` is those that wait for nothing.
    pub(super) fn waits(&self) -> Waits {
        let samples = [self.postgres_before(), self.postgres()];
        let mut waits = Waits::default();
        for postgres in samples.into_iter().flatten() {
            waits.add(&postgres.waits);
        }
        waits
    }

    /// Cores that were busy, of the machine's.
    pub(super) fn busy_cores(&self) -> f64 {
        self.mean(|figures| figures.machine.map_or(0.0, |m| m.busy_seconds))
    }

    /// Whether requests of this server wait at the database, or for a worker or a connection of it.
    pub(super) fn wants_database(&self, stuck_seconds: f64) -> bool {
        let stuck = |lane: &Lane| lane.oldest_batch_seconds >= stuck_seconds;
        self.now.lanes.iter().any(stuck)
            || self.populations().database >= SATURATED_WAITING
            || self.pooler_waiting() >= SATURATED_WAITING
    }

    /// Cores of the machine; one where the system does not say.
    pub(super) fn cores(&self) -> f64 {
        self.now.machine.map_or(1.0, |machine| machine.cores)
    }

    /// Cores that this process may use; one where the system does not say.
    pub(super) fn own_cores(&self) -> f64 {
        self.now.machine.map_or(1.0, |machine| machine.cpus)
    }

    /// What a sum of r2d2's went up by, per second.
    pub(super) fn pool_mean(&self, of: impl Fn(&R2d2) -> f64) -> f64 {
        self.mean(|figures| figures.r2d2.as_ref().map_or(0.0, &of))
    }

    /// What a counter of r2d2's went up by.
    pub(super) fn pool_rise(&self, of: impl Fn(&R2d2) -> u64) -> u64 {
        self.rise(|figures| figures.r2d2.as_ref().map_or(0, &of))
    }
}

/// Numbers of backends by the type of their wait event, summed up over samples.
#[derive(Default)]
pub(super) struct Waits {
    samples: f64,
    by_type: BTreeMap<String, i64>,
}

impl Waits {
    fn add(&mut self, sample: &BTreeMap<String, i64>) {
        self.samples += 1.0;
        for (kind, number) in sample {
            *self.by_type.entry(kind.clone()).or_default() += number;
        }
    }

    /// The mean number of backends that waited so.
    pub(super) fn of(&self, kind: &str) -> f64 {
        let number = self.by_type.get(kind).copied().unwrap_or(0);
        number as f64 / self.samples.max(1.0)
    }

    /// The mean number of active backends.
    pub(super) fn all(&self) -> f64 {
        self.by_type.values().sum::<i64>() as f64 / self.samples.max(1.0)
    }
}

fn fresh<F>(sampled: Option<&Sampled<F>>) -> Option<&F> {
    sampled.and_then(|sampled| sampled.fresh(SAMPLE_AGE_MAX_SECONDS))
}

fn of_stage(figures: &Figures, lane: &str, of: impl Fn(&Stages) -> f64) -> f64 {
    figures.stages.get(lane).map_or(0.0, of)
}
