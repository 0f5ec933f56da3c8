//! The page: one line for each setting and load.

use std::fmt::Write;

use super::chance::{PAGES_WRONG_MAX, limit, probability};
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
const ALL: [RatioFigure; 5] = [RATE, P99, CPU, POSTGRES, LOG];

pub(super) fn page(
    options: &SettingsOptions,
    machine: &Machine,
    throttling: Throttling,
    compared: &[Compared],
) -> String {
    let (limit, figures) = limit_of(compared);
    let mut page = format!(
        "`{}`, commit {}; {}, {} CPUs, {} MiB; {} rounds; steal {:.1} %, throttled {} ms.\n\n\
         Ratios are default / ours, one for each round: the median, and from the smallest to the greatest. \
         CPU is that of the server, PgBouncer and PostgreSQL for each request, and PostgreSQL's alone beside it, \
         also in microseconds, as medians; log the bytes of write-ahead log for each warrior. An effect is clear where \
         every round shows it and chance is excluded: by Student's test over the logarithms of its ratios, at {:.0} % for \
         all {figures} figures of this page together (Holm), so that of twenty pages without any effect about one names one.\n\n\
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
        PAGES_WRONG_MAX * 100.0,
    );
    for one in compared {
        let [rate, p99, cpu, postgres, log] =
            ALL.map(|(_, figure)| text(Spread::of(ratios(one, figure))));
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
            verdict(one, limit)
        )
        .ok();
    }
    page
}

/// Default / ours in each round.
fn ratios(compared: &Compared, figure: fn(&Measured) -> f64) -> Vec<f64> {
    let pairs = compared.pairs.iter();
    let ratios = pairs.map(|(default, ours)| figure(default) / figure(ours));
    ratios.filter(|ratio| ratio.is_finite()).collect()
}

/// The greatest probability of chance with which a figure of the page still is clear, and how many figures it has.
fn limit_of(compared: &[Compared]) -> (f64, usize) {
    let figures = compared
        .iter()
        .flat_map(|one| ALL.map(|(_, figure)| ratios(one, figure)));
    let probabilities: Vec<f64> = figures
        .filter(|ratios| !ratios.is_empty())
        .map(|ratios| probability(&ratios))
        .collect();
    (limit(&probabilities), probabilities.len())
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

/// The figures that are clear: no round contradicts another, and chance is not more probable than `limit`.
fn verdict(compared: &Compared, limit: f64) -> String {
    let clear: Vec<String> = ALL
        .into_iter()
        .filter_map(|(name, figure)| {
            let ratios = ratios(compared, figure);
            let is_beyond_chance = probability(&ratios) <= limit;
            let spread = Spread::of(ratios)?;
            let changed = (spread.median - 1.0) * 100.0;
            let agrees = spread.min > 1.0 || spread.max < 1.0;
            (agrees && is_beyond_chance).then(|| format!("{name} {changed:+.0} %"))
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
    use rand::RngExt;
    use rand_pcg::Pcg64Mcg;

    use super::super::options::Load;
    use super::*;
    use crate::sample::{Cpu, Sample};

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
    fn an_effect_is_one_that_every_round_shows_beyond_chance() {
        let clear = compared(&[
            (8.0, 10.0),
            (24.5, 30.0),
            (8.1, 10.0),
            (7.9, 10.0),
            (16.0, 20.0),
        ]);
        let (limit, figures) = limit_of(std::slice::from_ref(&clear));
        assert_eq!(figures, 1, "the others were not measured");
        assert_eq!(verdict(&clear, limit), "default: throughput -20 %");
        let shown = |figure: RatioFigure| text(Spread::of(ratios(&clear, figure.1)));
        assert_eq!(shown(RATE), "0.80 (0.79–0.82)");
        assert_eq!(shown(P99), "-");
        for rates in [
            // A contradiction; and agreement of two rounds, which comes by chance half of the time.
            &[
                (8.0, 10.0),
                (8.0, 10.0),
                (8.0, 10.0),
                (8.0, 10.0),
                (10.1, 10.0),
            ][..],
            &[(8.0, 10.0), (9.0, 10.0)],
            &[(8.0, 10.0)],
        ] {
            let unclear = compared(rates);
            let (limit, _) = limit_of(std::slice::from_ref(&unclear));
            assert_eq!(verdict(&unclear, limit), "no clear effect", "{rates:?}");
        }
    }

    #[test]
    fn pages_of_settings_without_an_effect_name_one_in_twenty_at_most() {
        let mut random = Pcg64Mcg::new(7);
        // The sum of twelve is nearly normal.
        let mut noise = || {
            let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
            (0.05 * (sum - 6.0)).exp()
        };
        let mut measured = || Measured {
            sample: Sample {
                rate: noise(),
                p99_us: noise(),
                cpu_us: Cpu {
                    server: noise(),
                    postgres: noise(),
                    ..Cpu::default()
                },
                ..Sample::default()
            },
            log_bytes: noise(),
        };
        let mut wrong = 0;
        for _ in 0..400 {
            let page: Vec<Compared> = (0..12)
                .map(|_| Compared {
                    pairs: (0..5).map(|_| (measured(), measured())).collect(),
                    ..compared(&[])
                })
                .collect();
            let (limit, figures) = limit_of(&page);
            assert_eq!(figures, 60);
            let names_one = |one: &Compared| verdict(one, limit) != "no clear effect";
            wrong += usize::from(page.iter().any(names_one));
        }
        // 20 of 400, and three standard deviations of that.
        assert!(wrong <= 33, "{wrong} of 400 pages name an effect");
    }
}
