//! Creates and searches at once, and creates at a rate below the peak.

use std::time::Duration;

use super::Rig;
use super::cells::{self, Action, Cell, cell, server};
use super::fill::SkillPool;
use super::http::{self, HttpLoad, Request};
use super::sample::{Sample, Series};
use super::searches::CONNECTIONS;
use super::terms::classes;
use warrior_load::output::say;
use warrior_load::workload::Kind;

pub(super) const MIXED: &str = "create beside searches";
pub(super) const ALONE: &str = "alone";
pub(super) const BESIDE: &str = "beside 32 connections that search";
pub(super) const BELOW_PEAK: &str = "create at 80 % of the peak";

/// The share of the peak at which latency is looked at.
const SHARE: f64 = 0.8;

/// Without figures of this run: the class that read most in earlier ones.
const WORST: &str = "two letters, absent";

impl Rig<'_> {
    /// Creates alone and beside the worst searches, then at 80 % of the peak.
    pub(super) fn mixed(&mut self) -> anyhow::Result<()> {
        let worst = self.worst_class();
        say(format_args!("creates beside searches for: {worst}"));
        let all = classes(self.options.rows, SkillPool::MartialArts);
        let Some(class) = all.iter().find(|class| class.name == worst) else {
            anyhow::bail!("there is no class of terms named {worst}")
        };
        let create = Box::new(self.request(self.stack, Kind::CreateValid, self.crowd()));
        let kind = Kind::OneOf(class.uris(&self.stack.api)?);
        let search = Box::new(self.request(self.stack, kind, CONNECTIONS));
        self.rounds(&[
            cell(MIXED, ALONE.to_owned(), Action::Http(create.clone())),
            cell(
                MIXED,
                BESIDE.to_owned(),
                Action::Beside {
                    create: create.clone(),
                    search,
                },
            ),
        ])?;
        let rate = SHARE * self.peak();
        let open = Request {
            load: HttpLoad::Rate(rate),
            // Stalls are seconds apart.
            length: self.length() * 3,
            ..*create
        };
        let name = format!("{rate:.0} requests/s, open model, each ms together");
        let below: [Cell; 1] = [cell(BELOW_PEAK, name, Action::Http(Box::new(open)))];
        self.rounds(&below)
    }

    /// The most creates per second that this run saw.
    fn peak(&self) -> f64 {
        let at = |series: &&Series| {
            let measured = self.options.connections.iter().map(|n| server(*n));
            (series.work == cells::CREATE && measured.into_iter().any(|by| by == series.by))
                || (series.work == MIXED && series.by == ALONE)
        };
        let rates = self.series.iter().filter(at);
        rates
            .map(|series| series.median(|sample| sample.rate))
            .fold(1.0, f64::max)
    }

    fn worst_class(&self) -> String {
        self.worst.clone().unwrap_or_else(|| WORST.to_owned())
    }
}

/// Creates, measured while searches go on around them.
pub(super) fn beside(
    rig: &mut Rig<'_>,
    create: &Request,
    search: &Request,
) -> anyhow::Result<Sample> {
    rig.seed += 2;
    let create = Request {
        seed: rig.seed,
        ..create.clone()
    };
    let search = Request {
        seed: rig.seed - 1,
        length: search.length + Duration::from_millis(500),
        ..search.clone()
    };
    let (searched, sample) = std::thread::scope(|scope| {
        let searching = scope.spawn(|| http::measure(&search, rig.stop));
        let sample = http::measure(&create, rig.stop);
        (searching.join(), sample)
    });
    let Ok(searched) = searched else {
        anyhow::bail!("the searching thread panicked")
    };
    let searched = searched?;
    say(format_args!(
        "      beside it: {:.0} searches/s as prescribed, {} others",
        searched.rate, searched.failed
    ));
    sample
}
