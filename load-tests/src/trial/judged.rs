//! A trial and its judgement: whether an objective was held at a rate, missed, or cannot be told from the generator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::collect::Collected;
use crate::engine::{Plan, Tally, Unsent};
use crate::judge;
use crate::machine::{Machine, Throttling};
use crate::profile::{Metric, Profile, Threshold};
use crate::result::Judged;
use crate::telemetry::Telemetry;

/// What a trial says about its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every condition was met, whatever the generator did.
    Held,
    /// The server missed a condition.
    Missed,
    /// A condition was missed, and the generator alone may have been the reason.
    Undecided,
}

/// One trial.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// Arrivals a second, as planned.
    pub rate: f64,
    /// Requests begun a second, follow-ups among them.
    pub scheduled: f64,
    /// Requests answered as prescribed, a second.
    pub answered: f64,
    /// Their share of all that ended.
    pub success: f64,
    /// Latency from the intended moment at the median, in microseconds; nothing was answered without one.
    pub p50_us: Option<u64>,
    /// The same at 99 %, where a request that failed counts as long as the profile waits for an answer.
    pub p99_us: Option<u64>,
    /// Service time at the median, in microseconds.
    pub service_p50_us: Option<u64>,
    /// Each condition.
    pub conditions: Vec<Judged>,
    /// What all of them say.
    pub standing: Standing,
    /// What speaks against the generator.
    pub doubts: Vec<String>,
    /// The outcomes of the requests, for reading.
    pub outcomes: String,
    /// The server's own view.
    pub telemetry: Option<Telemetry>,
}

impl Trial {
    pub(super) fn judge(
        rate: f64,
        profile: &Profile,
        plan: &Plan,
        collected: &Collected,
        telemetry: Option<Telemetry>,
        interrupted: bool,
    ) -> Trial {
        let (throttling, machine) = (Throttling::default(), Machine::default());
        let validity = judge::validity(plan, collected, interrupted, &throttling, &machine, None);
        let (slo, seconds) = (profile.conditions(), plan.measured_seconds());
        let conditions = judge::thresholds(&slo, plan, collected, seconds, &[]);
        let total = collected.total();
        let standing = if conditions.iter().all(|judged| judged.met) && !interrupted {
            Standing::Held
        } else if validity.invalid.is_empty() || is_missed_by_the_server(&slo, &conditions, &total)
        {
            Standing::Missed
        } else {
            Standing::Undecided
        };
        let at = |quantile| total.latency.value_at_quantile(quantile);
        let any = total.succeeded() > 0;
        Trial {
            rate,
            scheduled: total.scheduled as f64 / seconds,
            answered: total.succeeded() as f64 / seconds,
            success: total.succeeded() as f64 / total.ended().max(1) as f64,
            p50_us: any.then(|| at(0.5)),
            p99_us: any.then(|| effective(&total, 0.99, plan.timeout.as_micros())),
            service_p50_us: any.then(|| total.service.value_at_quantile(0.5)),
            conditions,
            standing,
            doubts: validity.invalid,
            outcomes: total.outcomes_text(),
            telemetry,
        }
    }

    /// The conditions that were missed.
    pub fn missed(&self) -> impl Iterator<Item = &Judged> {
        self.conditions.iter().filter(|judged| !judged.met)
    }
}

/// Whether a condition is missed by answers that were not as prescribed, or one on all rows by service times alone: neither
/// is the work of a generator that was late. `conditions` are those of `slo`, judged.
fn is_missed_by_the_server(slo: &[Threshold], conditions: &[Judged], total: &Tally) -> bool {
    if total.unsent.contains_key(&Unsent::Generator) {
        return false;
    }
    let service = |quantile| total.service.value_at_quantile(quantile) as f64;
    slo.iter().zip(conditions).any(|(threshold, judged)| {
        let exceeds = |figure: f64| threshold.endpoint.is_none() && !threshold.holds(figure);
        match threshold.metric {
            Metric::Latency(quantile) | Metric::Service(quantile) => exceeds(service(quantile)),
            Metric::Max => exceeds(total.service.max() as f64),
            Metric::Mean => exceeds(total.service.mean()),
            Metric::Success | Metric::Errors | Metric::Refused | Metric::Unknown => {
                judged.figure.is_some() && !judged.met
            }
            Metric::Failed(_) | Metric::Rate | Metric::Late | Metric::Lost => false,
        }
    })
}

/// The latency at a quantile, in microseconds, where a request that failed counts as one that took `timeout_micros`: else
/// whoever refuses most would look quickest.
fn effective(total: &Tally, quantile: f64, timeout_micros: u128) -> u64 {
    let timeout = u64::try_from(timeout_micros).unwrap_or(u64::MAX);
    // Requests that timed out are in `latency` already, as long as they were waited for.
    let failed = total.ended().saturating_sub(total.latency.len());
    let rank = quantile * (total.latency.len() + failed) as f64;
    let share = rank / total.latency.len().max(1) as f64;
    match share <= 1.0 {
        true => total.latency.value_at_quantile(share),
        false => timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Outcome;

    fn tally(answered: u64, refused: u64) -> Tally {
        let mut tally = Tally::new();
        for micros in 1..=answered {
            tally.latency.record(micros).expect("it resizes");
        }
        tally.outcomes.insert(Outcome::Prescribed(201), answered);
        tally.outcomes.insert(Outcome::Other(503), refused);
        tally
    }

    #[test]
    fn refusals_do_not_make_a_server_quick() {
        assert_eq!(effective(&tally(1000, 0), 0.99, 5_000_000), 990);
        // With 5 in 1000 refused, the slowest half per cent of those answered are within the rest.
        assert_eq!(effective(&tally(995, 5), 0.99, 5_000_000), 990);
        assert_eq!(effective(&tally(980, 20), 0.99, 5_000_000), 5_000_000);
    }

    #[test]
    fn what_a_late_generator_explains_is_not_put_down_to_the_server() {
        let mut slow = tally(1000, 0);
        for _ in 0..1000 {
            slow.service.record(80_000).expect("it resizes");
        }
        let quick = tally(1000, 0);
        // Objective, whether each condition is met, what was counted, and whether it is the server's.
        let cases = [
            ("p99 < 50ms, success >= 99%", [false, true], &quick, false),
            ("p99 < 50ms, success >= 99%", [false, true], &slow, true),
            ("p99 < 50ms, success >= 99%", [true, false], &quick, true),
            // Another row may be the slow one.
            ("count.p99 < 50ms, errors < 1%", [false, true], &slow, false),
            // Some have failed, and fewer than may.
            (
                "p99 < 50ms, errors < 20%",
                [false, true],
                &tally(900, 100),
                false,
            ),
            (
                "p99 < 50ms, errors < 5%",
                [false, false],
                &tally(900, 100),
                true,
            ),
        ];
        for (text, met, total, expected) in cases {
            let slo = crate::profile::parse_slo(text).expect("valid");
            let conditions = |figure| {
                met.map(|met| Judged {
                    threshold: String::new(),
                    unit: slo[0].metric.unit(),
                    limit: 0.0,
                    figure,
                    met,
                })
            };
            let seen = is_missed_by_the_server(&slo, &conditions(Some(0.5)), total);
            assert_eq!(seen, expected, "{text}");
            // Of a row of which nothing has ended there is no figure.
            let without = is_missed_by_the_server(&slo, &conditions(None), &quick);
            assert!(!without, "{text}");
        }
    }
}
