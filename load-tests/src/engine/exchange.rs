//! The exchange of one request and its answer: counted, and written to the ledger.

use hyper::Uri;

use super::account::{self, Ending, Timing};
use super::connection::Answer;
use super::failure::Failure;
use super::pool::Counted;
use super::tally::{Outcome, Unsent};
use super::timer::now;
use super::worker::Worker;
use crate::ledger::Answered;
use crate::target::given_location;
use crate::workload::Prepared;

/// Bounds the bytes of an answer's body that are kept: examples take 200 of them, and the ledger the id in a 504.
const BODY_KEPT_MAX: usize = 64 * 1024;

/// Bounds the examples of failures that a thread reports in one second.
const EXAMPLES_MAX: usize = 3;

impl Worker {
    /// Sends a request that was due at `intended` and counts what comes of it. `begun` is when
    /// the generator turned to it.
    pub(super) async fn request(
        &self,
        endpoint: usize,
        (intended, begun): (u64, u64),
        prepared: &Prepared,
        own: &mut Option<Counted>,
    ) -> Result<Answer, Failure> {
        self.count(endpoint, intended, |tally| {
            account::begin(tally, intended, begun);
        });
        let number = match self.ledger_sent(prepared) {
            Ok(number) => number,
            Err(error) => {
                // What the ledger does not know of must not leave.
                self.give_up(error);
                self.count(endpoint, intended, |tally| {
                    *tally.unsent.entry(Unsent::Generator).or_default() += 1;
                });
                return Err(Failure::NotSent);
            }
        };
        self.in_flight.set(self.in_flight.get() + 1);
        let give_up = now() + self.plan.timeout.as_nanos() as u64;
        let exchange = self.exchange(prepared, own, give_up);
        let (timing, result) = match tokio::time::timeout(self.plan.timeout, exchange).await {
            Ok(done) => done,
            Err(_elapsed) => {
                // Without a connection nothing left. With one, whether bytes left does not matter
                // to a request that was given up, so it counts as sent.
                let failure = match own.take() {
                    Some(_closed) => Failure::Timeout,
                    None => Failure::NotAccepted,
                };
                (Timing::default(), Err(failure))
            }
        };
        self.in_flight.set(self.in_flight.get() - 1);
        self.ledger_answer(number, &result);
        self.settle(endpoint, intended, prepared, &timing, &result);
        result
    }

    async fn exchange(
        &self,
        prepared: &Prepared,
        own: &mut Option<Counted>,
        give_up: u64,
    ) -> (Timing, Result<Answer, Failure>) {
        let mut timing = Timing::default();
        loop {
            let (counted, fresh) = match own.take() {
                Some(counted) => (counted, false),
                None => match self.pool.connect().await {
                    Ok((counted, connect)) => {
                        timing.connect_nanos = connect;
                        (counted, connect.is_some())
                    }
                    Err(failure) => return (timing, Err(failure)),
                },
            };
            let counted = own.insert(counted);
            let connection = &mut counted.connection;
            let request = prepared.to_request();
            let result = connection.send(request, BODY_KEPT_MAX, give_up).await;
            timing.wrote_at = counted.connection.wrote_at();
            timing.read_at = counted.connection.read_at();
            if result.is_err() {
                *own = None;
            }
            // A kept connection that was closed before a byte left is not the request's failure.
            if result.as_ref().err() == Some(&Failure::NotSent) && !fresh {
                continue;
            }
            return (timing, result);
        }
    }

    fn settle(
        &self,
        endpoint: usize,
        intended: u64,
        prepared: &Prepared,
        timing: &Timing,
        result: &Result<Answer, Failure>,
    ) {
        let ending = match result {
            Ok(answer) => Ending::Sent {
                outcome: if prepared.expect.holds(answer.status) {
                    Outcome::Prescribed(answer.status)
                } else {
                    Outcome::Other(answer.status)
                },
                body_bytes: answer.body_bytes,
            },
            Err(failure) => Ending::of_failure(failure),
        };
        let end = match result {
            Ok(_) => timing.read_at.unwrap_or_else(now),
            Err(_) => now(),
        };
        self.count(endpoint, intended, |tally| {
            account::end(tally, intended, end, timing, &ending);
        });
        if !ending.is_success() {
            self.note_example(prepared, result);
        }
    }

    fn note_example(&self, prepared: &Prepared, result: &Result<Answer, Failure>) {
        let mut counts = self.counts.borrow_mut();
        if counts.examples.len() >= EXAMPLES_MAX {
            return;
        }
        let what = match result {
            Ok(answer) => {
                let body: String = String::from_utf8_lossy(&answer.body)
                    .chars()
                    .take(200)
                    .collect();
                format!("{} {body}", answer.status)
            }
            Err(failure) => failure.to_string(),
        };
        let sent: String = String::from_utf8_lossy(&prepared.body)
            .chars()
            .take(120)
            .collect();
        counts
            .examples
            .push(format!("{} {sent} -> {what}", prepared.describe()));
    }

    fn ledger_sent(&self, prepared: &Prepared) -> anyhow::Result<Option<u64>> {
        let ledger = self.ledger.as_ref().filter(|_| prepared.is_create);
        ledger.map(|ledger| ledger.sent(&prepared.body)).transpose()
    }

    fn ledger_answer(&self, number: Option<u64>, result: &Result<Answer, Failure>) {
        if let (Some(ledger), Some(number)) = (&self.ledger, number)
            && let Err(error) = ledger.answered(number, &answered(result))
        {
            self.give_up(error);
        }
    }
}

/// A result in the words of the ledger.
fn answered(result: &Result<Answer, Failure>) -> Answered<'_> {
    match result {
        Ok(answer) => Answered::Whole {
            status: answer.status,
            location: answer.location.as_deref(),
            body: &answer.body,
        },
        Err(failure) if Outcome::of_failure(failure).is_none() => {
            Answered::Unsent(failure.to_string())
        }
        Err(failure) => Answered::Cut(failure.to_string()),
    }
}

/// Where the server says that the created warrior is.
pub(super) fn location_of(answer: &Answer) -> Option<Uri> {
    given_location(answer.location.as_deref()?)
}
