//! The break-even of PgBouncer: from how many connections on it answers more, or sooner, than PostgreSQL directly.

use serde::Serialize;

use super::LEAST;
use super::points::Point;
use super::visit::{NoRoom, Visit};
use crate::compare::{ComparedFigure, Direction, Finding, geometric_mean};
use crate::output::micros;

/// A success that is lower by more than this decides by itself: quick refusals flatter every other figure.
const SUCCESS_LEAST: f64 = 0.001;
/// A pool of which a greater share than this was not answered as prescribed is not good, however quick the rest was.
const FAILED_MAX: f64 = SUCCESS_LEAST;
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
    /// Requests a second; none where PostgreSQL has no room for the servers, or nothing was answered in most rounds.
    pub rate: Option<ComparedFigure>,
    /// Latency at 99 %, at the rate of the open runs; likewise.
    pub p99: Option<ComparedFigure>,
    /// The mean success at that rate, without and with PgBouncer; none where PostgreSQL has no room for the servers.
    pub success: Option<(f64, f64)>,
    /// What follows.
    pub finding: Finding,
}

/// The answer, for the smallest pool that is as good as the best.
#[derive(Clone, Debug, Serialize)]
pub struct BreakEven {
    /// The least success of that pool with any number of servers, where it is too little to call the pool good.
    pub pool_success: Option<f64>,
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
            // Where requests failed with PgBouncer, too, there is nothing that it makes possible.
            let count = at(Some(pool)).count().max(1) as f64;
            let success = at(Some(pool)).map(|visit| visit.success).sum::<f64>() / count;
            return (success >= 1.0 - FAILED_MAX).then_some(Versus {
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
        let success = pool.map(|pool| success(points, pool));
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
            pool_success: success.filter(|success| *success < 1.0 - FAILED_MAX),
            answer,
            at: at.cloned(),
        }
    }

    /// For people, with the connections that it is about.
    pub fn sentence(&self) -> String {
        let answer = self.answer_sentence();
        match (self.pool_success, &self.at) {
            (Some(success), Some(at)) => format!(
                "{answer} No pool that was tried is good: that of {}, the best of them, had as little as {:.2} % of its \
                 requests answered as prescribed.",
                at.pool,
                success * 100.0
            ),
            _ => answer,
        }
    }

    fn answer_sentence(&self) -> String {
        let Some(at) = &self.at else {
            return "Nothing was measured both with and without PgBouncer, so there is no break-even."
                .to_owned();
        };
        let connections = at.connections;
        let verdict = match self.answer {
            Answer::WorthIt if at.success.is_none() => {
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

/// The smallest pool that is as good as the best, over all numbers of servers. Success goes before speed: among those that
/// failed fewest, a pool may be smaller, slower by a little, and not quicker by refusing.
fn smallest_good_pool(points: &[Point]) -> Option<u32> {
    let mut pools: Vec<u32> = points.iter().filter_map(|point| point.pool).collect();
    pools.sort_unstable();
    pools.dedup();
    let most = pools.iter().map(|pool| success(points, *pool));
    let most = most.fold(0.0, f64::max);
    let least = match most >= 1.0 - FAILED_MAX {
        true => 1.0 - FAILED_MAX,
        false => most - SUCCESS_LEAST,
    };
    pools.retain(|pool| success(points, *pool) >= least);
    let mean = |pool: u32, pick: fn(&Point) -> f64| {
        let points = points.iter().filter(|point| point.pool == Some(pool));
        geometric_mean(points.map(|point| pick(point).max(1.0)))
    };
    let rate = |pool: &u32| mean(*pool, |point| point.rate.mean());
    let p99 = |pool: &u32| mean(*pool, |point| point.p99_us.mean());
    let best = pools.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    let good =
        |pool: &&u32| rate(pool) >= RATE_ALIKE * rate(best) && p99(pool) <= P99_ALIKE * p99(best);
    pools.iter().find(good).copied()
}

/// The least success of a pool, with any number of servers.
fn success(points: &[Point], pool: u32) -> f64 {
    let points = points.iter().filter(|point| point.pool == Some(pool));
    points.map(|point| point.success).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests;
