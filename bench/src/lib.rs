//! `make bench`: what the server does per second and what it costs, beside references that are taken in
//! the same run, on the same machine, in turn with it.
//!
//! A figure alone says more about the machine than about the server. So every round measures the server,
//! a bare HTTP server ([`hello`]) and the database alone ([`pgbench`]), every second round in the opposite
//! order, and what counts are the ratios of neighbours.

mod cells;
mod check;
mod cpu;
mod fill;
mod flush;
pub mod hello;
mod http;
mod mixed;
mod open;
mod pgbench;
mod report;
mod sample;
mod searches;
pub mod settings;
mod targets;
mod terms;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use hyper::Uri;
use serde::Serialize;

pub use report::Files;

use self::cells::{Action, Cell};
use self::fill::{SkillPool, fill};
use self::hello::Hello;
use self::pgbench::Pgbench;
use self::sample::{Sample, Series, Unit};
use self::searches::Searches;
use warrior_load::database::DatabaseFacts;
use warrior_load::machine::{Machine, Pressure, Throttling, fdatasync_per_second};
use warrior_load::output::{micros, say};
use warrior_load::stress::Stack;

/// What can be measured; without a choice everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Creates, beside pgbench and beside an empty table
    Create,
    /// Finds by id, beside the hello server and pgbench
    Find,
    /// Counts, beside the hello server and beside an empty table
    Count,
    /// Searches for random letters, as the public stress test sends them
    Search,
    /// Searches by class of terms, with a check of the answers
    Classes,
    /// Creates beside searches, and at 80 % of the peak
    Mixed,
}

/// What the command line decides.
#[derive(Clone, Debug, Serialize)]
pub struct Options {
    /// The server's binary.
    #[serde(skip)]
    pub server: PathBuf,
    /// Rows in the table before anything is measured.
    pub rows: u64,
    /// Also search a table with a million distinct skills.
    pub distinct_skills: bool,
    /// Numbers of connections.
    pub connections: Vec<usize>,
    /// How often everything is measured.
    pub rounds: usize,
    /// How long each time.
    pub seconds: u32,
    /// Generator threads.
    pub threads: usize,
    /// The parts, each once, in order.
    pub only: Vec<Part>,
}

/// Everything that a bench found.
#[derive(Clone, Debug, Serialize)]
pub struct Bench {
    /// When it began.
    pub started_at: String,
    /// The command that gives it again.
    pub command: String,
    /// The commit, and whether the tree differed from it.
    pub commit: Option<String>,
    /// What was asked for.
    pub options: Options,
    /// On what.
    pub machine: Machine,
    /// What the machine did meanwhile.
    pub throttling: Throttling,
    /// PostgreSQL and its settings.
    pub database: DatabaseFacts,
    /// PgBouncer's version.
    pub pooler: String,
    /// How pgbench sent statements through PgBouncer.
    pub pooler_mode: String,
    /// Rows in the table at the end.
    pub rows_at_end: u64,
    /// What was measured.
    pub series: Vec<Series>,
    /// What the answers of searches were compared with.
    pub searches: Vec<Searches>,
    /// The targets, and whether they hold.
    pub targets: Vec<targets::Target>,
}

/// A stack under measurement, and everything beside it.
struct Rig<'s> {
    options: &'s Options,
    stop: &'s Arc<AtomicBool>,
    stack: &'s Stack,
    /// Another one whose table is emptied before each measurement.
    empty: Option<&'s Stack>,
    pgbench: Option<Pgbench<'s>>,
    /// Hello servers with bodies as long as those of a find and of a count.
    hello_find: Hello,
    hello_count: Hello,
    /// Warriors to be found.
    known: Arc<[Uri]>,
    series: Vec<Series>,
    /// The class of search terms that was slowest, once they were measured.
    worst: Option<String>,
    /// Grows, so that no two measurements send the same rows.
    seed: u64,
}

/// Measures.
///
/// # Errors
/// When the stack cannot be started, a reference cannot be run, or the run was interrupted: there is
/// no result of half a bench.
pub fn bench(options: &Options, stop: &Arc<AtomicBool>) -> anyhow::Result<Bench> {
    ensure!(
        options.rows > 0,
        "--rows must be at least 1: finds need a row to find"
    );
    ensure!(
        options.rounds > 0 && options.seconds > 0,
        "--rounds and --seconds must be at least 1"
    );
    ensure!(
        options.connections.iter().all(|n| *n > 0),
        "--connections must be at least 1"
    );
    // Now, since somebody may commit meanwhile.
    let commit = commit();
    let started_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let pressure = Pressure::now();
    let begun = Instant::now();
    let wants = |parts: &[Part]| parts.iter().any(|part| options.only.contains(part));
    say(format_args!("starting the stack"));
    let stack = Stack::start_full_size(&options.server)?;
    let empty = wants(&[Part::Create, Part::Count])
        .then(|| Stack::start_full_size(&options.server))
        .transpose()?;
    say(format_args!("filling the table with {} rows", options.rows));
    fill(
        &stack,
        &options.server,
        options.rows,
        SkillPool::MartialArts,
    )?;
    let mut rig = Rig::new(options, stop, &stack, empty.as_ref())?;
    let pooler_mode = rig
        .pgbench
        .as_ref()
        .map_or("", |pgbench| pgbench.mode(true));
    let pooler_mode = pooler_mode.to_owned();
    let cells = rig.cells()?;
    rig.rounds(&cells)?;
    let mut searches = Vec::new();
    if wants(&[Part::Classes]) {
        searches.push(rig.searches(SkillPool::MartialArts)?);
    }
    if wants(&[Part::Mixed]) {
        rig.mixed()?;
    }
    if let Some(measured) = searches.first_mut() {
        rig.check(SkillPool::MartialArts, measured)?;
    }
    if options.distinct_skills {
        say(format_args!(
            "filling the table with {} rows of distinct skills",
            options.rows
        ));
        fill(&stack, &options.server, options.rows, SkillPool::Distinct)?;
        let mut measured = rig.searches(SkillPool::Distinct)?;
        rig.check(SkillPool::Distinct, &mut measured)?;
        searches.push(measured);
    }
    let series = std::mem::take(&mut rig.series);
    drop(rig);
    let rows_at_end = warrior_load::client::count(&stack.api)?.context("the API does not count")?;
    let mut machine = Machine::look();
    machine.fdatasync_per_second = fdatasync_per_second(&stack.data);
    say(format_args!(
        "measured in {:.0} s",
        begun.elapsed().as_secs_f64()
    ));
    Ok(Bench {
        started_at,
        command: command(),
        commit,
        options: options.clone(),
        machine,
        throttling: Pressure::now().since(pressure),
        database: stack.database.facts()?,
        pooler: stack.pooler.version.to_string(),
        pooler_mode,
        rows_at_end,
        targets: targets::judge(options, &series, &searches),
        series,
        searches,
    })
}

/// Writes the files.
///
/// # Errors
/// When they cannot be written.
pub fn write(bench: &Bench, out: Option<&Path>) -> anyhow::Result<Files> {
    report::write(bench, out)
}

/// The targets, for the terminal.
pub fn summary(bench: &Bench) -> String {
    report::summary(bench)
}

impl<'s> Rig<'s> {
    fn new(
        options: &'s Options,
        stop: &'s Arc<AtomicBool>,
        stack: &'s Stack,
        empty: Option<&'s Stack>,
    ) -> anyhow::Result<Rig<'s>> {
        let databases = [Part::Create, Part::Find];
        let pgbench = Pgbench::prepare(stack)?;
        let known = known(stack)?;
        let body = |path: &str| -> anyhow::Result<usize> {
            Ok(warrior_load::client::get(&stack.api, path)?.body.len())
        };
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
            hello_find: Hello::start(middle(found?))?,
            hello_count: Hello::start(body("/counting-warriors")?)?,
            pgbench: databases
                .iter()
                .any(|part| options.only.contains(part))
                .then_some(pgbench),
            options,
            stop,
            stack,
            empty,
            known,
            series: Vec::new(),
            worst: None,
            seed: 1,
        })
    }

    /// Measures every cell once a round, every second round backwards.
    fn rounds(&mut self, cells: &[Cell]) -> anyhow::Result<()> {
        let first = self.series.len();
        self.series.extend(cells.iter().map(Cell::series));
        for round in 0..self.options.rounds {
            let mut order: Vec<usize> = (0..cells.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for place in order {
                let sample = self.measure(&cells[place])?;
                self.series[first + place].samples.push(sample);
                self.tell(round, &cells[place], &sample);
            }
        }
        Ok(())
    }

    fn measure(&mut self, cell: &Cell) -> anyhow::Result<Sample> {
        let sample = match &cell.action {
            Action::Http(request) => {
                self.seed += 1;
                let request = http::Request {
                    seed: self.seed,
                    ..(**request).clone()
                };
                http::measure(&request, self.stop)
            }
            Action::Emptied(action) => {
                let stack = self.empty.context("there is no second stack")?;
                let mut owner = stack.owner().connect()?;
                owner.batch_execute("truncate public.warrior")?;
                let cell = Cell {
                    action: (**action).clone(),
                    ..cell.clone()
                };
                return self.measure(&cell);
            }
            Action::Pgbench { bench, clients } => {
                let pgbench = self.pgbench.as_mut().context("pgbench was not prepared")?;
                pgbench.run(*bench, *clients, self.options.seconds)
            }
            Action::Beside { create, search } => mixed::beside(self, create, search),
        };
        ensure!(!self.stop.load(Ordering::Relaxed), "interrupted");
        let sample = sample.with_context(|| format!("{}, {}", cell.work, cell.by))?;
        // What the next measurement would else have to clean up after this one.
        if cell.work == cells::CREATE {
            let mut owner = self.stack.owner().connect()?;
            owner.batch_execute("select public.warrior_flush()")?;
        }
        Ok(sample)
    }

    fn tell(&self, round: usize, cell: &Cell, sample: &Sample) {
        let unit = match cell.unit {
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
            cell.work,
            cell.by,
            sample.rate,
            micros(sample.p50_us as u64),
            micros(sample.p99_us as u64),
        ));
    }

    fn length(&self) -> Duration {
        Duration::from_secs(u64::from(self.options.seconds))
    }

    /// The number of connections that stands for a busy server: 64 where that is measured.
    fn crowd(&self) -> usize {
        targets::crowd(self.options)
    }
}

/// The warriors that the finds ask for; pgbench draws from the same ones.
fn known(stack: &Stack) -> anyhow::Result<Arc<[Uri]>> {
    let mut owner = stack.owner().connect()?;
    let rows = owner.query("select id from bench.pool", &[])?;
    ensure!(!rows.is_empty(), "the table is empty");
    rows.iter()
        .map(|row| {
            let id: uuid::Uuid = row.try_get(0)?;
            stack.api.uri(&format!("/warrior/{id}"))
        })
        .collect()
}

/// The command line, with the program's name alone: where it lies says nothing.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("warrior-bench {}", arguments.join(" "))
}

fn commit() -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
