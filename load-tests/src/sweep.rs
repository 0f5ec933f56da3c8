//! A sweep over servers, sizes of PgBouncer's pool, and no PgBouncer: its points, and where PgBouncer breaks even.
//!
//! `scripts/compose-sweep` measures and leaves a folder: `visits.jsonl` with a line for each visit of a point, the
//! results of the runs that it names, and `setup.txt`. Each round visits every point once, in random order, so ratios of
//! one round are compared, as `compare` compares neighbours.

mod break_even;
mod points;
mod visit;

use std::path::Path;

use anyhow::ensure;
use serde::Serialize;

use crate::exit::Exit;
use crate::machine::Machine;

pub use break_even::{BreakEven, Versus};
pub use points::{Point, Spread};
pub use visit::NoRoom;

/// Shares below this one do not count as differences.
pub const LEAST: f64 = 0.05;

/// A whole sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    /// The rate of the open runs, per second.
    pub open_rate: f64,
    /// Rounds over all points.
    pub rounds: usize,
    /// Every point that was visited.
    pub points: Vec<Point>,
    /// Points without PgBouncer that PostgreSQL has no room for.
    pub no_room: Vec<NoRoom>,
    /// Every pool against none, by servers.
    pub versus: Vec<Versus>,
    /// Acknowledged writes that could not be read back, so that whether they are lost is not known.
    pub unread: u64,
    /// The answer.
    pub break_even: BreakEven,
    /// The answer in one sentence.
    pub sentence: String,
    /// How it ended.
    pub exit: Exit,
    /// Why it does not say that no acknowledged write was lost, or which runs measured the generator; empty when it holds.
    pub invalid: Vec<String>,
    /// What a reader should know of single runs.
    pub marks: Vec<String>,
    /// What stood around: names and values.
    pub setup: Vec<(String, String)>,
    /// The machine of the first run.
    pub machine: Machine,
}

impl Sweep {
    /// Reads what a sweep has left in this folder.
    ///
    /// # Errors
    /// Names the file that is missing or damaged, and says when there is too little to compare.
    pub fn read(folder: &Path) -> anyhow::Result<Sweep> {
        let measured = visit::read(folder)?;
        let points = points::points(&measured.visits);
        let rounds = points.iter().map(|point| point.rate.values.len()).max();
        ensure!(
            rounds >= Some(2),
            "{} holds less than two whole rounds, which give no interval; measure longer: SWEEP_MINUTES",
            folder.display()
        );
        let versus = break_even::all_versus(&measured.visits, &measured.no_room);
        let break_even = BreakEven::of(&points, &versus);
        let unread = measured.visits.iter().map(|visit| visit.unread).sum();
        let mut invalid = unproven(&measured.unverified, unread);
        invalid.extend(measured.invalid.into_iter().map(|(_, why)| why));
        Ok(Sweep {
            open_rate: measured.open_rate,
            rounds: rounds.unwrap_or(0),
            unread,
            exit: match invalid.is_empty() {
                true => Exit::Passed,
                false => Exit::Invalid,
            },
            invalid,
            sentence: break_even.sentence(),
            break_even,
            points,
            no_room: measured.no_room,
            versus,
            marks: measured.marks,
            setup: measured.setup,
            machine: measured.machine,
        })
    }
}

/// The runs, and the writes, of which it is not known whether a promise was kept.
fn unproven(unverified: &[String], unread: u64) -> Vec<String> {
    let runs = unverified.iter();
    let mut unproven: Vec<String> = runs
        .map(|run| format!("{run}: it was never verified, so whether it lost a write is not known"))
        .collect();
    if unread > 0 {
        unproven.push(format!(
            "{unread} acknowledged writes could not be read back, so whether they are lost is not known"
        ));
    }
    unproven
}
