//! The reader of a sweep's folder: one visit a line, each with the results of two runs.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, PromiseBroken};
use crate::machine::Machine;
use crate::result::RunResult;

/// What a sweep has left.
pub(super) struct Measured {
    pub(super) visits: Vec<Visit>,
    pub(super) no_room: Vec<NoRoom>,
    pub(super) open_rate: f64,
    pub(super) marks: Vec<String>,
    /// Runs that never verified what was acknowledged.
    pub(super) unverified: Vec<String>,
    /// Runs that measured the generator or the machine, and why, each with its round.
    pub(super) invalid: Vec<(u32, String)>,
    pub(super) setup: Vec<(String, String)>,
    pub(super) machine: Machine,
}

/// One point at one time.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) round: u32,
    pub(super) servers: u32,
    /// None without PgBouncer.
    pub(super) pool: Option<u32>,
    /// Connections of the servers in PostgreSQL at the end of the closed run.
    pub(super) connections: u32,
    /// Requests answered as prescribed, a second, as many as were to be had.
    pub(super) rate: f64,
    /// At the rate of the open run, in microseconds.
    pub(super) p99_us: f64,
    /// The share that was answered as prescribed at that rate.
    pub(super) success: f64,
    /// Acknowledged writes that both runs read back.
    pub(super) read_back: u64,
    /// Acknowledged writes that could not be read back.
    pub(super) unread: u64,
}

/// A point without PgBouncer whose connections PostgreSQL has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoRoom {
    /// Servers.
    pub servers: u32,
    /// Connections that they would open.
    pub needs: u32,
    /// Connections that PostgreSQL has for them.
    pub room: u32,
}

/// A line of `visits.jsonl`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Visit(VisitLine),
    NoRoom(NoRoom),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VisitLine {
    round: u32,
    servers: u32,
    pool: Option<u32>,
    connections: u32,
    /// The results of both runs, as files of the folder.
    closed: String,
    open: String,
}

/// Reads everything. A broken promise goes before whatever else is wrong with the folder.
pub(super) fn read(folder: &Path) -> anyhow::Result<Measured> {
    let file = folder.join("visits.jsonl");
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "cannot read {}, which scripts/compose-sweep writes",
            file.display()
        )
    })?;
    let mut measured = Measured {
        visits: Vec::new(),
        no_room: Vec::new(),
        open_rate: 0.0,
        marks: Vec::new(),
        unverified: Vec::new(),
        invalid: Vec::new(),
        setup: setup(folder)?,
        machine: Machine::default(),
    };
    let mut damaged = Ok(());
    for (number, line) in (1..).zip(text.lines()) {
        let place = || format!("{}: line {number}", file.display());
        let taken = take_line(&mut measured, folder, line).with_context(place);
        match taken {
            Err(error) if error.is::<PromiseBroken>() => return Err(error),
            taken => damaged = damaged.and(taken),
        }
    }
    damaged?;
    keep_whole_rounds(&mut measured.visits);
    let visits = &measured.visits;
    (measured.invalid).retain(|(round, _)| visits.iter().any(|visit| visit.round == *round));
    Ok(measured)
}

fn take_line(measured: &mut Measured, folder: &Path, line: &str) -> anyhow::Result<()> {
    match serde_json::from_str(line)? {
        Line::NoRoom(point) => measured.no_room.push(point),
        Line::Visit(visit) => take(measured, folder, &visit)?,
    }
    Ok(())
}

fn take(measured: &mut Measured, folder: &Path, line: &VisitLine) -> anyhow::Result<()> {
    let closed = RunResult::read(&folder.join(&line.closed))?;
    let open = RunResult::read(&folder.join(&line.open))?;
    ensure!(
        (closed.setup.model.as_str(), open.setup.model.as_str()) == ("closed", "open"),
        "{} and {} are no runs of the closed and of the open model",
        line.closed,
        line.open
    );
    let (mut read_back, mut unread) = (0, 0);
    for (name, run) in [("closed", &closed), ("open", &open)] {
        let (round, servers, way) = (line.round, line.servers, way(line.pool));
        let which = format!("round {round}, {servers} servers {way}, the {name} run");
        if let Some(verdict) = run.verification.iter().find(|verdict| !verdict.holds()) {
            let said = format!("the {name} run {}", verdict.headline());
            return Err(PromiseBroken(said).into());
        }
        match run.verification.last() {
            Some(verdict) => {
                read_back += verdict.acknowledged - verdict.unproven();
                unread += verdict.unproven();
            }
            None => measured.unverified.push(which.clone()),
        }
        if run.exit != Exit::Passed {
            let reason = crate::report::reasons(run).into_iter().next();
            let reason = reason.unwrap_or_else(|| run.exit.to_string());
            match run.exit {
                Exit::Invalid => measured.invalid.push((round, format!("{which}: {reason}"))),
                _ => measured.marks.push(format!("{which}: {reason}")),
            }
        }
    }
    if measured.visits.is_empty() {
        measured.machine = closed.machine;
        measured.open_rate = open.total.scheduled as f64 / open.measured_seconds.max(1e-9);
    }
    measured.visits.push(Visit {
        round: line.round,
        servers: line.servers,
        pool: line.pool,
        connections: line.connections,
        rate: closed.total.rate,
        p99_us: open
            .total
            .latency
            .map_or(0.0, |latency| latency.p99_us as f64),
        success: open.total.success,
        read_back,
        unread,
    });
    Ok(())
}

/// A round that was cut off visited some points and not others: it would compare minutes, not points.
fn keep_whole_rounds(visits: &mut Vec<Visit>) {
    let count = |round: u32| visits.iter().filter(|visit| visit.round == round).count();
    let whole = visits.iter().map(|visit| count(visit.round)).max();
    let kept: Vec<Visit> = visits
        .iter()
        .filter(|visit| Some(count(visit.round)) == whole)
        .cloned()
        .collect();
    *visits = kept;
}

/// `name: value` lines.
fn setup(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let file = folder.join("setup.txt");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    Ok(lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// The way from the servers to PostgreSQL, for reading.
pub(super) fn way(pool: Option<u32>) -> String {
    pool.map_or_else(
        || "without PgBouncer".to_owned(),
        |size| format!("with a pool of {size}"),
    )
}
