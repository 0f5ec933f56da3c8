//! Accounting of one request in a tally: arithmetic on moments, without a clock of its own.

use super::failure::Failure;
use super::tally::{Outcome, Tally, Unsent, record};

/// A request that begins later than this after its moment counts as late.
const LATE_NANOS: u64 = 1_000_000;

/// The moments of one exchange, in nanoseconds of the run's clock.
#[derive(Default)]
pub(super) struct Timing {
    /// How long opening a connection took, where one was opened.
    pub(super) connect_nanos: Option<u64>,
    /// When the first byte was written.
    pub(super) wrote_at: Option<u64>,
    /// When the last byte was read.
    pub(super) read_at: Option<u64>,
}

/// How a request ended.
pub(super) enum Ending {
    /// Bytes left.
    Sent {
        /// The outcome of the bytes that left.
        outcome: Outcome,
        /// The length of the answer's body.
        body_bytes: u64,
    },
    /// Nothing left.
    Unsent(Unsent),
}

impl Ending {
    pub(super) fn of_failure(failure: &Failure) -> Ending {
        match (Outcome::of_failure(failure), failure) {
            (Some(outcome), _) => Ending::Sent {
                outcome,
                body_bytes: 0,
            },
            (None, Failure::Exhausted(_)) => Ending::Unsent(Unsent::Generator),
            (None, Failure::NotAccepted) => Ending::Unsent(Unsent::NotAccepted),
            (None, _) => Ending::Unsent(Unsent::Connect),
        }
    }

    pub(super) fn is_success(&self) -> bool {
        matches!(self, Ending::Sent { outcome, .. } if outcome.is_success())
    }
}

/// Counts a request whose moment has come; `begun` is when the generator turned to it.
pub(super) fn begin(tally: &mut Tally, intended: u64, begun: u64) {
    let lateness = begun.saturating_sub(intended);
    tally.scheduled += 1;
    tally.late += u64::from(lateness > LATE_NANOS);
    record(&mut tally.lateness, lateness);
}

/// Counts what came of a request. Latency counts from the intended moment, which keeps coordinated
/// omission out of it; service time counts from the first byte.
pub(super) fn end(tally: &mut Tally, intended: u64, end: u64, timing: &Timing, ending: &Ending) {
    if let Some(connect) = timing.connect_nanos {
        record(&mut tally.connect, connect);
    }
    let latency = end.saturating_sub(intended);
    let (outcome, body_bytes) = match *ending {
        Ending::Sent {
            outcome,
            body_bytes,
        } => (outcome, body_bytes),
        Ending::Unsent(reason) => {
            *tally.unsent.entry(reason).or_default() += 1;
            if reason == Unsent::NotAccepted {
                record(&mut tally.latency, latency);
            }
            return;
        }
    };
    tally.sent += 1;
    tally.body_bytes += body_bytes;
    *tally.outcomes.entry(outcome).or_default() += 1;
    match outcome {
        Outcome::Prescribed(_) => {
            record(&mut tally.latency, latency);
            let wrote = timing.wrote_at.unwrap_or(intended);
            record(&mut tally.service, end.saturating_sub(wrote));
        }
        Outcome::Timeout => record(&mut tally.latency, latency),
        Outcome::Other(_) | Outcome::Protocol | Outcome::Cut => {
            record(&mut tally.latency_failed, latency);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::{Phase, arrivals};

    const MILLI: u64 = 1_000_000;
    const SECOND: u64 = 1_000 * MILLI;

    /// A run of 2,000 requests on a driven clock: `held` is how long the server holds each back.
    fn run(held: impl Fn(usize, u64) -> u64) -> Tally {
        let phase = Phase {
            from: 400.0,
            to: 400.0,
            length: Duration::from_secs(5),
            randomised: true,
        };
        let mut tally = Tally::new();
        for (number, intended) in arrivals(&[phase], 1).into_iter().enumerate() {
            let wrote = intended + MILLI / 2;
            let read = wrote + held(number, wrote);
            begin(&mut tally, intended, intended + MILLI / 4);
            let timing = Timing {
                connect_nanos: None,
                wrote_at: Some(wrote),
                read_at: Some(read),
            };
            let ending = Ending::Sent {
                outcome: Outcome::Prescribed(200),
                body_bytes: 2,
            };
            end(&mut tally, intended, read, &timing, &ending);
        }
        tally
    }

    #[test]
    fn quantiles_are_those_of_the_delays_and_counts_exact() {
        let delay = |number: usize| {
            let x = ((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64;
            ((0.02 + 0.4 * (x / (1u64 << 24) as f64).powi(4)) * SECOND as f64) as u64
        };
        let tally = run(|number, _| delay(number));
        assert_eq!((tally.scheduled, tally.sent, tally.late), (2000, 2000, 0));
        assert_eq!(tally.body_bytes, 4000);
        let mut truth: Vec<u64> = (0..2000).map(delay).collect();
        truth.sort_unstable();
        for q in [0.5, 0.9, 0.99, 0.999] {
            let truth = truth[(q * 2000.0_f64).ceil() as usize - 1] as f64 / 1000.0;
            let service = tally.service.value_at_quantile(q) as f64;
            // Three significant digits, and the rounding to a microsecond.
            assert!(
                (service - truth).abs() <= truth / 1000.0 + 1.0,
                "{q}: {service}, {truth}"
            );
            // Half a millisecond passed between the moment and the first byte.
            let latency = tally.latency.value_at_quantile(q) as f64;
            assert!(
                (latency - truth - 500.0).abs() <= truth / 500.0 + 1.0,
                "{q}: {latency}"
            );
        }
    }

    #[test]
    fn a_server_that_stalls_one_second_in_five_shows_it_in_p99() {
        // The last of the five seconds: what falls into it waits for its end.
        let tally = run(|_, wrote| {
            (5 * SECOND).saturating_sub(wrote.max(4 * SECOND)) * u64::from(wrote >= 4 * SECOND)
        });
        // A fifth of the arrivals waits between 0 and 1 s: of all, 1 % longer than 0.95 s, and half not at all.
        let p99 = tally.latency.value_at_quantile(0.99);
        assert!((940_000..=1_000_000).contains(&p99), "{p99} us");
        assert!(tally.latency.value_at_quantile(0.5) <= 500);
    }

    #[test]
    fn a_late_beginning_counts_as_late_and_into_the_latency() {
        let mut tally = Tally::new();
        begin(&mut tally, SECOND, SECOND + MILLI * 3 / 2);
        assert_eq!(
            (tally.scheduled, tally.late, tally.lateness.max()),
            (1, 1, 1500)
        );
        end(
            &mut tally,
            SECOND,
            SECOND + 2 * MILLI,
            &Timing::default(),
            &Ending::of_failure(&Failure::Timeout),
        );
        assert_eq!((tally.latency.max(), tally.failed()), (2000, 1));
    }
}
