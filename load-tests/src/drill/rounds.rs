//! The rounds of a drill: load, fault, healing, settling, comparison with the table, judgement.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::compare::{Counted, compare};
use super::figures::Figures;
use super::isolation;
use super::judge::{self, Breach, Invariant};
use super::kind::Drill;
use super::load::{Driven, Load, profile};
use super::probe;
use super::rig::{Length, Needs, Programs, Unanswered};
use super::scene::Scene;
use super::settle::Settled;
use super::table::Row;
use super::watch::{Held, Watch};
use crate::verify::Verdict;

/// The load before a fault, and after its healing.
const LEAD: Duration = Duration::from_secs(1);
const TAIL: Duration = Duration::from_millis(500);
/// The load before the first look at what the server holds: its pools and caches are then filled.
const WARM_UP: Duration = Duration::from_secs(3);
/// Longest wait for what the server gives back, and for `/ready`.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(15);

/// Creates at a time while the server gives back what it does not need.
const BUSY: u32 = 10;

/// How a drill is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) rate: f64,
    pub(super) length: Length,
}

/// Runs a drill on a stack of its own.
pub(super) fn run(drill: &'static Drill, programs: &Programs, pace: Pace, directory: &Path) -> Row {
    let mut row = Row::of(drill);
    let outcome = thread::scope(|scope| {
        // A thread of its own, whose namespaces end with it.
        let drilled = scope.spawn(|| in_scene(drill, programs, pace, directory, &mut row));
        drilled.join()
    });
    // A failure is the group's that is still there, and the next drill of that kind says so.
    if let Some(after) = drill.rig.after {
        Command::new("sh").args(["-c", after]).status().ok();
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => row.not_done = Some(format!("{error:#}")),
        Err(_) => row.not_done = Some("it panicked; please report it".to_owned()),
    }
    row
}

fn in_scene(
    drill: &'static Drill,
    programs: &Programs,
    pace: Pace,
    directory: &Path,
    row: &mut Row,
) -> anyhow::Result<()> {
    if drill.needs == Needs::Isolation {
        isolation::enter()?;
    }
    let mut scene = Scene::start(programs, drill.rig, pace.length, directory)?;
    row.postgres = scene.endpoints().postgres.version.to_string();
    row.pooler = scene.endpoints().pooler.version.to_string();
    let (target, database) = (scene.target.clone(), scene.database());
    let load = Load {
        target: &target,
        database: Some(&database),
        directory,
    };
    let (_, warmed) = load.beside(&profile(pace.rate, pace.length), || thread::sleep(WARM_UP))?;
    std::fs::remove_file(&warmed.ledger).ok();
    let before = Held::by(scene.server_pid()?).context("the server has ended")?;
    let (quick, full) = drill.rounds;
    for _ in 0..pace.length.of(quick, full) {
        round(drill, &mut scene, pace, directory, before, row)?;
    }
    Ok(())
}

fn round(
    drill: &Drill,
    scene: &mut Scene,
    pace: Pace,
    directory: &Path,
    before: Held,
    row: &mut Row,
) -> anyhow::Result<()> {
    let (target, database) = (scene.target.clone(), scene.database());
    let watch = Watch::begin(scene.admin.clone());
    let load = Load {
        target: &target,
        database: Some(&database),
        directory,
    };
    let (broken, driven) = load.beside(&profile(pace.rate, pace.length), || {
        thread::sleep(LEAD);
        let broken = (drill.breaks)(scene);
        if broken.is_ok() {
            scene.heals();
            thread::sleep(TAIL);
        }
        broken
    })?;
    let silent = watch.end();
    let mut breaches = std::mem::take(&mut scene.breaches);
    // What cannot be broken, or mended, leaves a ledger that is judged all the same.
    let compared = compare(
        &target,
        &database,
        &driven.ledger,
        scene.healed_at,
        Counted::Alone,
    );
    let (settled, verdict) = match compared {
        Ok(compared) => compared,
        Err(error) => return broken.and(Err(error)),
    };
    breaches.extend(judge::by_answers(&driven.collected, drill.unanswered));
    breaches.extend(judge::by_settling(&settled));
    breaches.extend(judge::by_table(&verdict));
    if drill.unanswered == Unanswered::None {
        breaches.extend(silent.first().map(|what| {
            let what = format!("{} times not 200: {what}", silent.len());
            Breach::of(Invariant::I9, what)
        }));
    }
    breaches.extend(at_rest(scene, before));
    row.figures
        .add(&figures(scene, &driven, &settled, &verdict));
    row.figures.add(&std::mem::take(&mut scene.beside));
    if breaches.iter().any(Breach::is_promise) {
        // The ledger is the evidence, and the findings name its lines.
        row.evidence.push(driven.ledger.display().to_string());
        row.findings.extend(verdict.findings);
    } else {
        std::fs::remove_file(&driven.ledger).ok();
    }
    row.breaches.extend(breaches);
    broken
}

/// I8 and the truth of `/ready` once nothing is asked any more.
fn at_rest(scene: &Scene, before: Held) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let until = Instant::now() + GIVEN_BACK_WITHIN;
    let mut ready = probe::status(&scene.admin, "/ready");
    while ready != Some(200) && Instant::now() < until {
        thread::sleep(Duration::from_millis(100));
        ready = probe::status(&scene.admin, "/ready");
    }
    if ready != Some(200) {
        let what = format!("/ready is {ready:?} when all is mended");
        breaches.push(Breach::of(Invariant::I9, what));
    }
    let Ok(pid) = scene.server_pid() else {
        return breaches;
    };
    let grown = before.grown(pid, GIVEN_BACK_WITHIN, || {
        for _ in 0..BUSY {
            probe::create(&scene.target, &probe::warrior(), None).ok();
        }
    });
    breaches.extend(
        grown
            .into_iter()
            .map(|what| Breach::of(Invariant::I8, what)),
    );
    breaches
}

fn figures(scene: &mut Scene, driven: &Driven, settled: &Settled, verdict: &Verdict) -> Figures {
    let mut figures = Figures {
        rounds: 1,
        kills: std::mem::take(&mut scene.kills),
        ..Figures::default()
    };
    figures.count(&driven.collected);
    figures.verified(verdict);
    figures.healed(std::mem::take(&mut scene.healed));
    figures.settled(settled.unknown, settled.settled, settled.took);
    figures
}
