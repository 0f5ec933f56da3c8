//! Fuzzing of the request path: real requests, changed at random, against a server of its own. Whatever comes, it must
//! not crash, panic, or answer what is not in the contract, and must go on serving.

mod answers;
mod case;
mod exchange;
mod mutate;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Uri;

use self::case::Case;
use self::exchange::{Outcome, exchange};
use crate::client;
use crate::output::say;
use crate::stack::Stack;
use crate::target::given_location;
use crate::workload::{Kind, Maker};

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
    let stack = Stack::start_logging(server, file)?;
    let (address, seed) = (stack.api.address, fuzz.seed);
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
    while next < end && report.found.is_none() && !stop.load(Ordering::Relaxed) {
        if began.elapsed() >= fuzz.length {
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
        let outcomes: Vec<(u64, Result<Outcome, String>)> = runtime.block_on(sending);
        let locations = report.count(&outcomes);
        if report.found.is_none()
            && let Err(error) = still_serves(&stack, log, seed ^ round.start, &locations)
        {
            report.found = Some(Found {
                cases: round,
                what: format!("{error:#}"),
            });
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            say(format_args!("{report}"));
        }
    }
    Ok(report)
}

/// Looks at the log for panics, creates and finds a warrior, and reads back what was acknowledged.
fn still_serves(stack: &Stack, log: &Path, seed: u64, locations: &[Uri]) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    if let Some(line) = text.lines().find(|line| line.contains("panicked")) {
        anyhow::bail!("a panic: {line}");
    }
    let maker = Maker::new(Kind::CreateValid, seed, 0, &stack.api);
    let created = client::send(&stack.api, &maker.make(0, &[])?).context("it no longer serves")?;
    ensure!(
        created.status == 201,
        "a create was answered {}",
        created.status
    );
    let location = created.location.as_deref().and_then(given_location);
    let own = location.context("a create has no Location")?;
    let acknowledged: Vec<Uri> = locations.iter().cloned().chain([own]).collect();
    let mut missing = None;
    client::get_each(&stack.api, &acknowledged, 1, |place, answer| match answer {
        Ok(answer) if answer.status == 200 => {}
        Ok(answer) => {
            missing = Some(format!(
                "{} was acknowledged, and is {}",
                acknowledged[place], answer.status
            ))
        }
        Err(failure) => {
            missing = Some(format!("{} cannot be read: {failure}", acknowledged[place]))
        }
    })?;
    missing.map_or(Ok(()), |what| Err(anyhow::anyhow!(what)))
}

impl Report {
    /// Counts what came back; the places of what was acknowledged.
    fn count(&mut self, outcomes: &[(u64, Result<Outcome, String>)]) -> Vec<Uri> {
        let mut locations = Vec::new();
        for (number, outcome) in outcomes {
            self.cases += 1;
            let what = match outcome {
                Ok(Outcome {
                    answers,
                    unconnected: None,
                }) => {
                    self.unanswered += u64::from(answers.is_empty());
                    for answer in answers {
                        *self.answers.entry(answer.status).or_default() += 1;
                        let location = answer.location.as_deref().and_then(given_location);
                        locations.extend(location);
                    }
                    continue;
                }
                Ok(Outcome {
                    unconnected: Some(why),
                    ..
                }) => format!("no connection: {why}"),
                Err(what) => what.clone(),
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
