//! Mixed loads: creates beside searches, and creates at a rate below the peak.

use warrior_load::output::say;
use warrior_load::workload::Kind;

use crate::http::{HttpLoad, Request};
use crate::measurement::{Action, CREATE, Measurement, by_http, server};
use crate::rig::Rig;
use crate::sample::Series;
use crate::searches::CONNECTIONS;
use crate::terms::classes;

pub(crate) const MIXED: &str = "create beside searches";
pub(crate) const ALONE: &str = "alone";
pub(crate) const BESIDE: &str = "beside 32 connections that search";
pub(crate) const BELOW_PEAK: &str = "create at 80 % of the peak";

/// The share of the peak at which latency is looked at.
const SHARE: f64 = 0.8;

/// Without figures of this run: the class that read most in earlier ones.
const WORST: &str = "two letters, absent";

/// Creates alone and beside the worst searches, then at 80 % of the peak.
pub(crate) fn measure(rig: &mut Rig<'_>) -> anyhow::Result<()> {
    let worst = worst_class(rig);
    say(format_args!("creates beside searches for: {worst}"));
    let all = classes(rig.options.rows, rig.options.tables[0]);
    let Some(class) = all.iter().find(|class| class.name == worst) else {
        anyhow::bail!("there is no class of terms named {worst}")
    };
    let create = Box::new(rig.request(rig.stack, Kind::CreateValid, rig.options.crowd()));
    let kind = Kind::OneOf(class.uris(&rig.stack.api)?);
    let search = Box::new(rig.request(rig.stack, kind, CONNECTIONS));
    rig.rounds(&[
        by_http(MIXED, ALONE.to_owned(), Action::Http(create.clone())),
        by_http(
            MIXED,
            BESIDE.to_owned(),
            Action::Beside {
                create: create.clone(),
                search,
            },
        ),
    ])?;
    let rate = SHARE * peak(rig);
    let open = Request {
        load: HttpLoad::Rate(rate),
        // Stalls are seconds apart.
        length: create.length * 3,
        ..*create
    };
    let name = format!("{rate:.0} requests/s, open model, each ms together");
    let below: [Measurement; 1] = [by_http(BELOW_PEAK, name, Action::Http(Box::new(open)))];
    rig.rounds(&below)
}

/// The most creates per second that this run saw.
fn peak(rig: &Rig<'_>) -> f64 {
    let at = |series: &&Series| {
        let measured = rig.options.connections.iter().map(|n| server(*n));
        (series.work == CREATE
            && measured
                .into_iter()
                .any(|executor| executor == series.executor))
            || (series.work == MIXED && series.executor == ALONE)
    };
    let rates = rig.series.iter().filter(at);
    rates
        .map(|series| series.median(|sample| sample.rate))
        .fold(1.0, f64::max)
}

fn worst_class(rig: &Rig<'_>) -> String {
    rig.worst.clone().unwrap_or_else(|| WORST.to_owned())
}
