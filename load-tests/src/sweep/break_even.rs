//! The break-even of PgBouncer: from how many connections on it answers more, or sooner, than PostgreSQL directly.

use serde::Serialize;

use super::LEAST;
use super::points::Point;
use super::visit::{NoRoom, Visit};
use crate::compare::{ComparedFigure, Direction, Finding};
use crate::output::micros;

/// A success that is lower by more than this decides by itself: quick refusals flatter every other figure.
const SUCCESS_LEAST: f64 = 0.001;
/// A pool with this share of the best pool's requests, and no p99 beyond [`P99_ALIKE`] times its, is as good.
const RATE_ALIKE: f64 = 0.97;
const P99_ALIKE: f64 = 1.1;

/// A pool of PgBouncer against none, with so many servers. A is without PgBouncer, B with it.
#[derive(Clone, Debug, Serialize)]
pub struct Versus {
    /// Servers.
    pub servers: u32,
    /// Connections of PgBouncer to PostgreSQL.
    pub pool: u32,
    /// Connections of the servers: those that PostgreSQL has to hold without PgBouncer.
    pub connections: u32,
    /// Requests a second; none where PostgreSQL has no room for the servers.
    pub rate: Option<ComparedFigure>,
    /// Latency at 99 %, at the rate of the open runs; likewise.
    pub p99: Option<ComparedFigure>,
    /// The mean success at that rate, without and with PgBouncer; likewise.
    pub success: Option<(f64, f64)>,
    /// What follows.
    pub finding: Finding,
}

/// The answer, for the smallest pool that is as good as the best.
#[derive(Clone, Debug, Serialize)]
pub struct BreakEven {
    /// The answer in a word.
    pub answer: Answer,
    /// The comparison that it rests on: where it begins to be worth it, else the one with the most connections.
    pub at: Option<Versus>,
}

/// What a sweep says of PgBouncer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// With it the stack is better, from so many connections on and with all more that were measured.
    WorthIt,
    /// It is better somewhere, and not with more connections.
    Unclear,
    /// It is worse somewhere, and better nowhere.
    NotWorthIt,
    /// No difference was shown.
    NoDifference,
}

/// Every pool against none, with as many servers, by ratios of the same round.
pub(super) fn all_versus(visits: &[Visit], no_room: &[NoRoom]) -> Vec<Versus> {
    let mut with: Vec<(u32, u32)> = visits
        .iter()
        .filter_map(|visit| Some((visit.pool?, visit.servers)))
        .collect();
    with.sort_unstable();
    with.dedup();
    let one = |(pool, servers): (u32, u32)| {
        let without_room = no_room.iter().find(|point| point.servers == servers);
        let at = |pool: Option<u32>| {
            let here = move |visit: &&Visit| (visit.servers, visit.pool) == (servers, pool);
            visits.iter().filter(here)
        };
        if let Some(point) = without_room {
            return Some(Versus {
                servers,
                pool,
                connections: point.needs,
                rate: None,
                p99: None,
                success: None,
                finding: Finding::Better,
            });
        }
        let pairs: Vec<(&Visit, &Visit)> = at(None)
            .filter_map(|a| Some((a, at(Some(pool)).find(|b| b.round == a.round)?)))
            .collect();
        let connections = pairs.iter().map(|(a, _)| a.connections).max()?;
        let figure = |name, unit, direction, pick: fn(&Visit) -> f64| {
            let values: Vec<_> = pairs.iter().map(|(a, b)| (pick(a), pick(b))).collect();
            ComparedFigure::of(name, unit, direction, &values, LEAST)
        };
        let mean = |pick: fn(&(&Visit, &Visit)) -> f64| {
            pairs.iter().map(pick).sum::<f64>() / pairs.len() as f64
        };
        let rate = figure("rate", "/s", Direction::HigherIsBetter, |visit| visit.rate);
        let p99 = figure("p99", "us", Direction::LowerIsBetter, |visit| visit.p99_us);
        let success = (mean(|(a, _)| a.success), mean(|(_, b)| b.success));
        Some(Versus {
            servers,
            pool,
            connections,
            finding: finding(success, rate.as_ref(), p99.as_ref()),
            rate,
            p99,
            success: Some(success),
        })
    };
    with.into_iter().filter_map(one).collect()
}

/// A success that differs decides; else one figure that is better while the other is not worse.
fn finding(
    (without, with): (f64, f64),
    rate: Option<&ComparedFigure>,
    p99: Option<&ComparedFigure>,
) -> Finding {
    if without - with > SUCCESS_LEAST {
        return Finding::Worse;
    }
    if with - without > SUCCESS_LEAST {
        return Finding::Better;
    }
    let found = [rate, p99].map(|figure| figure.map(|figure| figure.finding));
    let has = |finding| found.contains(&Some(finding));
    match (has(Finding::Better), has(Finding::Worse)) {
        (true, false) => Finding::Better,
        (false, true) => Finding::Worse,
        _ => Finding::NoDifferenceShown,
    }
}

impl BreakEven {
    pub(super) fn of(points: &[Point], versus: &[Versus]) -> BreakEven {
        let pool = smallest_good_pool(points);
        let mut rows: Vec<&Versus> = versus.iter().filter(|row| Some(row.pool) == pool).collect();
        rows.sort_by_key(|row| row.connections);
        let is = |finding| move |row: &&Versus| row.finding == finding;
        let better = rows
            .iter()
            .rev()
            .take_while(|row| row.finding == Finding::Better);
        let (answer, at) = match better.count() {
            0 if rows.iter().any(|row| row.finding == Finding::Better) => {
                let last = rows.iter().rev().copied().find(is(Finding::Better));
                (Answer::Unclear, last)
            }
            0 => match rows.iter().rev().copied().find(is(Finding::Worse)) {
                Some(worse) => (Answer::NotWorthIt, Some(worse)),
                None => (Answer::NoDifference, rows.last().copied()),
            },
            worth => (Answer::WorthIt, rows.get(rows.len() - worth).copied()),
        };
        BreakEven {
            answer,
            at: at.cloned(),
        }
    }

    /// For people, with the connections that it is about.
    pub fn sentence(&self) -> String {
        let Some(at) = &self.at else {
            return "Nothing was measured both with and without PgBouncer, so there is no break-even."
                .to_owned();
        };
        let connections = at.connections;
        let verdict = match self.answer {
            Answer::WorthIt if at.rate.is_none() => {
                return format!(
                    "PgBouncer is worth it here from {connections} connections on: PostgreSQL has no room for them without it."
                );
            }
            Answer::WorthIt => {
                format!("PgBouncer is worth it here from {connections} connections on")
            }
            Answer::Unclear => format!(
                "There is no clear break-even: PgBouncer is better here with {connections} connections, and not with more"
            ),
            Answer::NotWorthIt => {
                format!("PgBouncer is not worth it here with {connections} connections")
            }
            Answer::NoDifference => {
                format!(
                    "With up to {connections} connections PgBouncer made no difference here that was shown"
                )
            }
        };
        format!("{verdict}: with a pool of {}, {}.", at.pool, ratios(at))
    }
}

/// Both ratios with their intervals, for reading.
fn ratios(versus: &Versus) -> String {
    let ratio = |figure: &ComparedFigure| {
        let (low, high) = figure.interval;
        format!("{:.2} times ({low:.2} to {high:.2})", figure.ratio)
    };
    let rate = versus.rate.as_ref();
    let rate = rate.map(|rate| {
        format!(
            "{} the requests a second that are answered without it",
            ratio(rate)
        )
    });
    let p99 = versus.p99.as_ref().map(|p99| {
        let (without, with) = (micros(p99.a as u64), micros(p99.b as u64));
        format!(
            "{} its p99 at a fixed rate ({with} instead of {without})",
            ratio(p99)
        )
    });
    let success = versus
        .success
        .filter(|(a, b)| (a - b).abs() > SUCCESS_LEAST);
    let success = success.map(|(a, b)| {
        format!(
            "{:.2} % instead of {:.2} % answered as prescribed",
            b * 100.0,
            a * 100.0
        )
    });
    let parts: Vec<String> = [success, rate, p99].into_iter().flatten().collect();
    parts.join(", ")
}

/// The smallest pool that is as good as the best, over all numbers of servers.
fn smallest_good_pool(points: &[Point]) -> Option<u32> {
    let mut pools: Vec<u32> = points.iter().filter_map(|point| point.pool).collect();
    pools.sort_unstable();
    pools.dedup();
    let mean = |pool: u32, pick: fn(&Point) -> f64| {
        let points = points.iter().filter(|point| point.pool == Some(pool));
        let logs: Vec<f64> = points.map(|point| pick(point).max(1.0).ln()).collect();
        (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp()
    };
    let rate = |pool: &u32| mean(*pool, |point| point.rate.mean());
    let p99 = |pool: &u32| mean(*pool, |point| point.p99_us.mean());
    let best = pools.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    let good =
        |pool: &&u32| rate(pool) >= RATE_ALIKE * rate(best) && p99(pool) <= P99_ALIKE * p99(best);
    pools.iter().find(good).copied()
}

#[cfg(test)]
mod tests {
    use super::super::points::points;
    use super::*;

    /// Three rounds of a point; `noise` alternates and is the machine's, so it is the same for all points of a round.
    fn visits(servers: u32, pool: Option<u32>, rate: f64, p99_us: f64) -> Vec<Visit> {
        let connections = pool.unwrap_or(5 * servers).min(5 * servers);
        [(1, 1.0), (2, 0.8), (3, 1.1)]
            .map(|(round, weather)| Visit {
                round,
                servers,
                pool,
                connections,
                rate: rate * weather * (1.0 + 0.002 * f64::from(round)),
                p99_us: p99_us / weather,
                success: 1.0,
                read_back: 10,
                unread: 0,
            })
            .to_vec()
    }

    fn answer(visits: &[Visit], no_room: &[NoRoom]) -> (Answer, String) {
        let break_even = BreakEven::of(&points(visits), &all_versus(visits, no_room));
        (break_even.answer, break_even.sentence())
    }

    #[test]
    fn worth_it_begins_where_it_stays_better() {
        let mut all = Vec::new();
        for (servers, without) in [(1, 1000.0), (2, 600.0), (3, 400.0)] {
            all.extend(visits(servers, None, without, 20e3));
            all.extend(visits(servers, Some(2), 300.0, 20e3));
            all.extend(visits(servers, Some(4), 610.0, 20e3));
            all.extend(visits(servers, Some(8), 615.0, 20e3));
        }
        let (answer, said) = answer(&all, &[]);
        assert_eq!(answer, Answer::WorthIt, "{said}");
        // The pool of 8 is no better than that of 4.
        assert!(
            said.contains("from 15 connections on: with a pool of 4, 1.52 times ("),
            "{said}"
        );
    }

    #[test]
    fn a_price_without_a_gain_is_not_worth_it() {
        let mut all = visits(1, None, 1000.0, 10e3);
        all.extend(visits(1, Some(4), 900.0, 10e3));
        let (answer, said) = answer(&all, &[]);
        assert_eq!(answer, Answer::NotWorthIt, "{said}");
        assert!(
            said.contains("not worth it here with 5 connections"),
            "{said}"
        );
    }

    #[test]
    fn a_shorter_tail_is_a_gain_and_a_contradiction_is_none() {
        let mut all = visits(2, None, 1000.0, 40e3);
        all.extend(visits(2, Some(4), 1000.0, 20e3));
        assert_eq!(answer(&all, &[]).0, Answer::WorthIt);
        let mut both = visits(2, None, 1000.0, 40e3);
        both.extend(visits(2, Some(4), 800.0, 20e3));
        assert_eq!(answer(&both, &[]).0, Answer::NoDifference);
    }

    #[test]
    fn noise_is_no_difference() {
        let mut all = visits(2, None, 1000.0, 40e3);
        let mut noisy = visits(2, Some(4), 1000.0, 40e3);
        noisy[0].rate *= 1.3;
        noisy[1].rate *= 0.9;
        all.extend(noisy);
        let (answer, said) = answer(&all, &[]);
        assert_eq!(answer, Answer::NoDifference, "{said}");
    }

    #[test]
    fn refusals_are_no_speed() {
        let mut all = visits(2, None, 1000.0, 5e3);
        all.iter_mut().for_each(|visit| visit.success = 0.9);
        all.extend(visits(2, Some(4), 1000.0, 50e3));
        let (answer, said) = answer(&all, &[]);
        assert_eq!(answer, Answer::WorthIt, "{said}");
        assert!(said.contains("100.00 % instead of 90.00 %"), "{said}");
    }

    #[test]
    fn what_postgresql_has_no_room_for_needs_it() {
        let mut all = visits(1, None, 1000.0, 5e3);
        all.extend(visits(1, Some(8), 1000.0, 5e3));
        all.extend(visits(50, Some(8), 800.0, 9e3));
        let no_room = [NoRoom {
            servers: 50,
            needs: 250,
            room: 187,
        }];
        let (answer, said) = answer(&all, &no_room);
        assert_eq!(answer, Answer::WorthIt);
        assert!(
            said.contains("from 250 connections on: PostgreSQL has no room"),
            "{said}"
        );
    }
}
