//! The rounds of a drill: load, fault, healing, settling, comparison with the table, judgement.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::compare::{Counted, compare};
use super::isolation;
use super::judge::{Breach, Invariant};
use super::kind::Drill;
use super::load::{Load, profile};
use super::probe;
use super::rig::{Length, Needs, Unanswered};
use super::scene::Scene;
use super::table::Row;
use super::watch::{Held, Watch};
use crate::stack::Programs;

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
    let judged = scene.judge_also(&warmed, Unanswered::Any, &target, &database);
    row.enter(std::mem::take(&mut scene.evidence));
    judged.context("the load before the fault")?;
    let before = Held::by(scene.server_pid()?).context("the server has ended")?;
    let (quick, full) = drill.rounds;
    for _ in 0..pace.length.of(quick, full) {
        let done = round(drill, &mut scene, pace, directory, before);
        row.enter(std::mem::take(&mut scene.evidence));
        done?;
    }
    Ok(())
}

/// One round, whose evidence is the scene's, also where it ends in an error.
fn round(
    drill: &Drill,
    scene: &mut Scene,
    pace: Pace,
    directory: &Path,
    before: Held,
) -> anyhow::Result<()> {
    let (target, database) = (scene.target.clone(), scene.database());
    let watch = Watch::begin(scene.admin.clone());
    let load = Load {
        target: &target,
        database: Some(&database),
        directory,
    };
    let driven = load.beside(&profile(pace.rate, pace.length), || {
        thread::sleep(LEAD);
        let broken = (drill.breaks)(scene);
        if broken.is_ok() {
            scene.heals();
            thread::sleep(TAIL);
        }
        broken
    });
    scene.evidence.figures.rounds += 1;
    let silent = watch.end();
    if drill.unanswered == Unanswered::None
        && let Some(what) = silent.first()
    {
        let what = format!("{} times not 200: {what}", silent.len());
        scene.breach(Invariant::I9, what);
    }
    let (broken, driven) = driven?;
    // What cannot be broken, or mended, leaves a ledger that is judged all the same.
    let compared = compare(
        &target,
        &database,
        &driven.ledger,
        scene.healed_at,
        Counted::Alone,
    );
    let judged = scene.evidence.judge(&driven, drill.unanswered, compared);
    broken?;
    let left = at_rest(scene, before);
    scene.evidence.breaches.extend(left);
    judged
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
