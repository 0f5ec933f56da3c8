//! The rig of a bench: one stack, its references, and rounds of measurements in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper::Uri;
use warrior_load::client;
use warrior_load::output::{micros, say};
use warrior_load::stack::Stack;
use warrior_load::workload::Kind;

use crate::companion::Companion;
use crate::cpu::Processes;
use crate::flush;
use crate::hello;
use crate::hits::Hits;
use crate::http::{self, HttpLoad, Request, TIMEOUT, WARMUP};
use crate::measurement::{Action, CREATE, Measurement};
use crate::mixed::{BELOW_PEAK, MIXED};
use crate::options::{BenchOptions, Part};
use crate::peers::Peers;
use crate::pgbench::Pgbench;
use crate::sample::{Sample, Series, Unit};
use crate::table;

/// The stack under measurement, the references beside it, and the samples so far.
pub(crate) struct Rig<'s> {
    pub(crate) options: &'s BenchOptions,
    pub(crate) stop: &'s Arc<AtomicBool>,
    pub(crate) stack: &'s Stack,
    /// Another one whose table is emptied before each measurement.
    pub(crate) empty: Option<&'s Stack>,
    /// Another one with the plain schema, and warriors to be found in it.
    pub(crate) plain: Option<(&'s Stack, Arc<[Uri]>)>,
    pub(crate) pgbench: Option<Pgbench<'s>>,
    /// Hello servers with bodies as long as those of a find and of a count.
    pub(crate) hello_find: Companion,
    pub(crate) hello_count: Companion,
    /// Warriors to be found.
    pub(crate) known: Arc<[Uri]>,
    /// Other programs that do the same.
    pub(crate) peers: Peers,
    pub(crate) series: Vec<Series>,
    /// The class of search terms that was slowest, once they were measured.
    pub(crate) worst: Option<String>,
    /// Grows, so that no two measurements send the same rows.
    pub(crate) seed: u64,
}

impl<'s> Rig<'s> {
    /// Prepares the references.
    pub(crate) fn new(
        options: &'s BenchOptions,
        stop: &'s Arc<AtomicBool>,
        stack: &'s Stack,
        empty: Option<&'s Stack>,
        plain: Option<&'s Stack>,
    ) -> anyhow::Result<Rig<'s>> {
        let pgbench = Pgbench::prepare(stack)?;
        // As many as of the plain schema, where that is found in, too.
        let known = match plain {
            None => table::pool(stack)?,
            Some(_) => table::sample(stack)?,
        };
        let plain = plain
            .map(|plain| Ok::<_, anyhow::Error>((plain, table::sample(plain)?)))
            .transpose()?;
        let body =
            |path: &str| -> anyhow::Result<usize> { Ok(client::get(&stack.api, path)?.body.len()) };
        let middle = |mut lengths: Vec<usize>| {
            lengths.sort_unstable();
            lengths[lengths.len() / 2]
        };
        let found: anyhow::Result<Vec<usize>> = known
            .iter()
            .take(101)
            .map(|uri| body(&uri.to_string()))
            .collect();
        Ok(Rig {
            hello_find: hello::start(middle(found?))?,
            hello_count: hello::start(body("/counting-warriors")?)?,
            pgbench: options
                .wants(&[Part::Create, Part::Find, Part::Peers])
                .then_some(pgbench),
            options,
            stop,
            stack,
            empty,
            plain,
            known,
            peers: Peers::default(),
            series: Vec::new(),
            worst: None,
            seed: 1,
        })
    }

    /// Takes every measurement once a round, every second round backwards.
    pub(crate) fn rounds(&mut self, measurements: &[Measurement]) -> anyhow::Result<()> {
        let first = self.series.len();
        self.series
            .extend(measurements.iter().map(Measurement::series));
        for round in 0..self.options.rounds {
            let mut order: Vec<usize> = (0..measurements.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for place in order {
                let sample = self.measure(&measurements[place])?;
                self.series[first + place].samples.push(sample);
                self.print(round, &measurements[place], &sample);
            }
        }
        Ok(())
    }

    /// Takes a measurement once.
    pub(crate) fn measure(&mut self, measurement: &Measurement) -> anyhow::Result<Sample> {
        let sample = match &measurement.action {
            Action::Http(request) => {
                self.seed += 1;
                let request = Request {
                    seed: self.seed,
                    ..(**request).clone()
                };
                http::measure(&request, self.stop)
            }
            Action::Emptied(action) => {
                let stack = self.empty.context("there is no second stack")?;
                table::empty(stack)?;
                let emptied = Measurement {
                    action: (**action).clone(),
                    ..measurement.clone()
                };
                return self.measure(&emptied);
            }
            Action::Flushed(action) => {
                let flushed = Measurement {
                    action: (**action).clone(),
                    ..measurement.clone()
                };
                let stack = self.stack;
                return flush::beside(stack, || self.measure(&flushed))?;
            }
            Action::Pgbench { job, clients } => {
                let pgbench = self.pgbench.as_mut().context("pgbench was not prepared")?;
                pgbench.run(*job, *clients, self.options.seconds)
            }
            Action::Beside { create, search } => {
                self.seed += 2;
                let create = Request {
                    seed: self.seed,
                    ..(**create).clone()
                };
                let search = Request {
                    seed: self.seed - 1,
                    ..(**search).clone()
                };
                http::measure_beside(&create, &search, self.stop)
            }
        };
        self.go_on()?;
        let sample =
            sample.with_context(|| format!("{}, {}", measurement.work, measurement.executor))?;
        // Otherwise the next measurement would clean up after this one, or wait behind what it has left.
        if [CREATE, MIXED, BELOW_PEAK].contains(&measurement.work.as_str()) {
            table::flush(self.stack)?;
        }
        if sample.failed > 0
            && let Some((plain, _)) = &self.plain
        {
            table::await_rest(plain)?;
        }
        Ok(sample)
    }

    /// Fails once a signal has come.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        ensure!(!self.stop.load(Ordering::Relaxed), "interrupted");
        Ok(())
    }

    fn print(&self, round: usize, measurement: &Measurement, sample: &Sample) {
        let unit = match measurement.unit {
            Unit::Requests => "requests/s",
            Unit::Rows => "rows/s",
        };
        let failed = match sample.failed {
            0 => String::new(),
            failed => format!(", {failed} FAILED"),
        };
        say(format_args!(
            "  {}/{} {}, {}: {:.0} {unit}, p50 {}, p99 {}{failed}",
            round + 1,
            self.options.rounds,
            measurement.work,
            measurement.executor,
            sample.rate,
            micros(sample.p50_us as u64),
            micros(sample.p99_us as u64),
        ));
    }

    /// Requests to a stack, over so many connections.
    pub(crate) fn request(&self, stack: &Stack, kind: Kind, connections: usize) -> Request {
        Request {
            kinds: vec![(Hits::Any, kind)],
            target: stack.api.clone(),
            processes: Processes::of_stack(stack),
            load: HttpLoad::Connections(connections),
            threads: self.options.threads,
            length: Duration::from_secs(u64::from(self.options.seconds)),
            warmup: WARMUP,
            timeout: TIMEOUT,
            may_be_refused: false,
            seed: 0,
        }
    }

    /// Requests to the stack under measurement.
    pub(crate) fn to_server(&self, kind: Kind, connections: usize) -> Action {
        Action::Http(Box::new(self.request(self.stack, kind, connections)))
    }
}
