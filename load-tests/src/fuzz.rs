//! Fuzzing of the request path: real requests, changed at random, against a server of its own. Whatever comes, it must
//! not crash, panic, or answer what is not in the contract, and must go on serving.

mod answers;
mod case;
mod exchange;
mod look;
mod mutate;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Uri;

use self::answers::Answer;
use self::case::Case;
use self::exchange::{Fault, exchange};
use self::look::{Log, look};
use crate::engine::Failure;
use crate::exit::{Exit, Interrupted};
use crate::output::say;
use crate::stack::Stack;
use crate::target::given_location;

/// Cases between two looks at the server.
const ROUND: u64 = 1000;
/// Cases at once: most of the time of one is spent waiting.
const CASES_AT_ONCE: usize = 128;
/// Time between two lines on how far it is.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// Bounds the bytes of a case that are shown.
const SHOWN_MAX: usize = 4000;

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Fuzz {
    /// Draws the cases.
    pub seed: u64,
    /// The number of the first case.
    pub first: u64,
    /// How many; without a number, as many as fit into `length`.
    pub cases: Option<u64>,
    /// For how long at most.
    pub length: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases that were sent.
    pub cases: u64,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Cases that were closed without an answer.
    pub unanswered: u64,
    /// The first thing that should not be; the run ends with it.
    pub found: Option<Found>,
    /// Why what was sent does not show that the server is well.
    pub invalid: Option<String>,
}

/// Something that should not be.
#[derive(Debug)]
pub struct Found {
    /// The cases that it may have come from.
    pub cases: Range<u64>,
    /// What it is.
    pub what: String,
}

/// Sends cases to a throw-away stack of the program `server`, which logs to the file `log`.
///
/// # Errors
/// When there is no stack to send them to.
pub fn fuzz(server: &Path, log: &Path, fuzz: &Fuzz, stop: &AtomicBool) -> anyhow::Result<Report> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut log = Log::open(log).with_context(|| format!("cannot read {}", log.display()))?;
    let stack = Stack::start_logging(server, file)?;
    let (address, seed) = (stack.api.address, fuzz.seed);
    say(format_args!("seed {seed}: sending to {}", stack.api.url));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start an event loop")?;
    let (mut report, began) = (Report::default(), Instant::now());
    let mut said = began;
    let end = fuzz
        .cases
        .map_or(u64::MAX, |cases| fuzz.first.saturating_add(cases));
    let mut next = fuzz.first;
    while next < end && !report.is_decided() && began.elapsed() < fuzz.length {
        if stop.load(Ordering::Relaxed) {
            report.invalid = Some(Interrupted.to_string());
            break;
        }
        let round = next..end.min(next.saturating_add(ROUND));
        next = round.end;
        let sending =
            stream::iter(round.clone())
                .map(|number| async move {
                    (number, exchange(address, &Case::draw(seed, number)).await)
                })
                .buffer_unordered(CASES_AT_ONCE)
                .collect();
        let outcomes: Vec<(u64, Result<Vec<Answer>, Fault>)> = runtime.block_on(sending);
        let locations = report.count(&outcomes);
        if !report.is_decided() {
            match look(&stack.api, &mut log, seed ^ round.start, &locations) {
                Ok(None) => {}
                Ok(Some(what)) => report.found = Some(Found { cases: round, what }),
                Err(error) => report.invalid = Some(format!("{error:#}")),
            }
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            say(format_args!("{report}"));
        }
    }
    if report.cases == 0 && !report.is_decided() {
        report.invalid = Some("there was no time for a case; give it more by --for".to_owned());
    }
    Ok(report)
}

impl Report {
    /// How it ended.
    pub fn exit(&self) -> Exit {
        if self.found.is_some() {
            Exit::Lost
        } else if self.invalid.is_some() {
            Exit::Invalid
        } else {
            Exit::Passed
        }
    }

    fn is_decided(&self) -> bool {
        self.exit() != Exit::Passed
    }

    /// Counts what came back; the places of what was acknowledged.
    fn count(&mut self, outcomes: &[(u64, Result<Vec<Answer>, Fault>)]) -> Vec<Uri> {
        let mut locations = Vec::new();
        for (number, outcome) in outcomes {
            self.cases += 1;
            let what = match outcome {
                Ok(answers) => {
                    self.unanswered += u64::from(answers.is_empty());
                    for answer in answers {
                        *self.answers.entry(answer.status).or_default() += 1;
                        let location = answer.location.as_deref().and_then(given_location);
                        locations.extend(location);
                    }
                    continue;
                }
                Err(Fault::Unconnected(own @ Failure::Exhausted(_))) => {
                    self.invalid.get_or_insert(own.to_string());
                    continue;
                }
                Err(Fault::Unconnected(failure)) => failure.to_string(),
                Err(Fault::NoAnswer(what)) => what.clone(),
            };
            self.found.get_or_insert(Found {
                cases: *number..number + 1,
                what,
            });
        }
        locations
    }
}

impl Found {
    /// What was sent, as text; only of a single case.
    pub fn sent(&self, seed: u64) -> Option<String> {
        let is_single = self.cases.end - self.cases.start == 1;
        is_single.then(|| {
            let shown = Case::draw(seed, self.cases.start).shown();
            shown.chars().take(SHOWN_MAX).collect()
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self
            .answers
            .iter()
            .map(|(status, count)| format!("{status}: {count}"));
        write!(
            f,
            "{} cases; answers {}; closed without one: {}",
            self.cases,
            answers.collect::<Vec<_>>().join(", "),
            self.unanswered
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_be_reached_is_found_and_what_the_fuzzer_lacks_is_not() {
        let refused = || Fault::Unconnected(Failure::Connect("refused".to_owned()));
        let lacking = || Fault::Unconnected(Failure::Exhausted("no port".to_owned()));
        let exit = |outcomes: Vec<Fault>| {
            let outcomes: Vec<_> = (0..).zip(outcomes.into_iter().map(Err)).collect();
            let mut report = Report::default();
            report.count(&outcomes);
            report.exit()
        };
        assert_eq!(exit(vec![]), Exit::Passed);
        assert_eq!(exit(vec![lacking()]), Exit::Invalid);
        assert_eq!(exit(vec![lacking(), refused()]), Exit::Lost);
        assert_eq!(exit(vec![Fault::NoAnswer("half".to_owned())]), Exit::Lost);
    }
}
