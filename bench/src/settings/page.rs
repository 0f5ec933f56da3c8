//! The page: one line for each setting and load.

use std::fmt::Write;

use super::comparison::{Compared, Measured};
use super::options::SettingsOptions;
use crate::provenance::command;
use crate::sample::Spread;
use warrior_load::commit::commit;
use warrior_load::machine::{Machine, Throttling};

/// A figure of a measurement, and what it is called.
type RatioFigure = (&'static str, fn(&Measured) -> f64);

const RATE: RatioFigure = ("throughput", |measured| measured.sample.rate);
const P99: RatioFigure = ("p99", |measured| measured.sample.p99_us);
const CPU: RatioFigure = ("CPU", |measured| {
    let cpu = measured.sample.cpu_us;
    cpu.server + cpu.postgres + cpu.pooler
});
const POSTGRES: RatioFigure = ("PostgreSQL's CPU", |measured| {
    measured.sample.cpu_us.postgres
});
const LOG: RatioFigure = ("log", |measured| measured.log_bytes);

pub(super) fn page(
    options: &SettingsOptions,
    machine: &Machine,
    throttling: Throttling,
    compared: &[Compared],
) -> String {
    let mut page = format!(
        "`{}`, commit {}; {}, {} CPUs, {} MiB; {} rounds; steal {:.1} %, throttled {} ms.\n\n\
         Ratios are default / ours, one for each round: the median, and from the smallest to the greatest. \
         CPU is that of the server, PgBouncer and PostgreSQL for each request, and PostgreSQL's alone beside it, \
         also in microseconds, as medians; log the bytes of write-ahead log for each warrior.\n\n\
         | Setting | Default | Ours | Load | Throughput | p99 | CPU | PostgreSQL's | PostgreSQL's, us | Log | Verdict |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
        command(),
        commit().unwrap_or_else(|| "unknown".to_owned()),
        machine.cpu_model,
        machine.cpus,
        machine.memory_mib,
        options.rounds,
        throttling.steal * 100.0,
        throttling.throttled_ms,
    );
    for one in compared {
        let [rate, p99, cpu, postgres, log] =
            [RATE, P99, CPU, POSTGRES, LOG].map(|(_, figure)| text(ratio(one, figure)));
        let micros = micros(one);
        let load = format!("{:?}", one.load).to_lowercase();
        writeln!(
            page,
            "| `{}` | {} | {} | {load}, {} s{} | {rate} | {p99} | {cpu} | {postgres} | {micros} | {log} | {} |",
            one.name,
            one.default,
            one.ours,
            one.seconds,
            failed(one),
            verdict(one)
        )
        .ok();
    }
    page
}

/// Default / ours in each round, and their spread.
fn ratio(compared: &Compared, figure: fn(&Measured) -> f64) -> Option<Spread> {
    let pairs = compared.pairs.iter();
    let ratios = pairs.map(|(default, ours)| figure(default) / figure(ours));
    Spread::of(ratios.filter(|ratio| ratio.is_finite()))
}

fn text(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "-".to_owned(),
        |Spread { median, min, max }| format!("{median:.2} ({min:.2}–{max:.2})"),
    )
}

/// PostgreSQL's CPU time a request with the default and with our value, in microseconds: medians of the rounds.
fn micros(compared: &Compared) -> String {
    let of = |which: fn(&(Measured, Measured)) -> &Measured| {
        let figures = compared.pairs.iter().map(|pair| POSTGRES.1(which(pair)));
        Spread::of(figures).map_or_else(|| "-".to_owned(), |all| format!("{:.1}", all.median))
    };
    format!("{} / {}", of(|pair| &pair.0), of(|pair| &pair.1))
}

/// A figure is clear when no round contradicts another.
fn verdict(compared: &Compared) -> String {
    let clear: Vec<String> = [RATE, P99, CPU, POSTGRES, LOG]
        .into_iter()
        .filter_map(|(name, figure)| {
            let spread = ratio(compared, figure)?;
            let changed = (spread.median - 1.0) * 100.0;
            (spread.min > 1.0 || spread.max < 1.0).then(|| format!("{name} {changed:+.0} %"))
        })
        .collect();
    match clear.as_slice() {
        [] => "no clear effect".to_owned(),
        clear => format!("default: {}", clear.join(", ")),
    }
}

fn failed(compared: &Compared) -> String {
    let pairs = compared.pairs.iter();
    match pairs
        .map(|(default, ours)| default.sample.failed + ours.sample.failed)
        .sum::<u64>()
    {
        0 => String::new(),
        failed => format!(", {failed} FAILED"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Load;
    use super::*;

    fn compared(rates: &[(f64, f64)]) -> Compared {
        let measured = |rate: f64| {
            let mut measured = Measured::default();
            measured.sample.rate = rate;
            measured
        };
        Compared {
            name: "s".to_owned(),
            load: Load::Create,
            default: "1".to_owned(),
            ours: "2".to_owned(),
            seconds: 1,
            pairs: rates
                .iter()
                .map(|(default, ours)| (measured(*default), measured(*ours)))
                .collect(),
        }
    }

    #[test]
    fn an_effect_is_one_that_every_round_shows() {
        let clear = compared(&[(8.0, 10.0), (27.0, 30.0), (9.0, 10.0)]);
        assert_eq!(verdict(&clear), "default: throughput -10 %");
        assert_eq!(text(ratio(&clear, RATE.1)), "0.90 (0.80–0.90)");
        assert_eq!(text(ratio(&clear, P99.1)), "-");
        let unclear = compared(&[(8.0, 10.0), (11.0, 10.0)]);
        assert_eq!(verdict(&unclear), "no clear effect");
    }
}
