//! `bench`: what the server does per second and what that costs, beside references that are taken in the
//! same run, on the same machine, in turn with it: a bare HTTP server and the database alone.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, ensure};
use warrior_load::client;
use warrior_load::commit::commit;
use warrior_load::machine::{Machine, Pressure, fdatasync_per_second};
use warrior_load::output::say;
use warrior_load::stack::Stack;

use crate::fill::{fill, fill_plain};
use crate::options::{BenchOptions, Part};
use crate::pgbench::pooler_prepares;
use crate::provenance::command;
use crate::result::BenchResult;
use crate::rig::Rig;
use crate::{goals, mixed, plain, plan, searches};

/// Measures.
///
/// # Errors
/// When the stack cannot be started, a reference cannot be run, or the run was interrupted: there is
/// no result of half a bench.
pub fn bench(options: &BenchOptions, stop: &Arc<AtomicBool>) -> anyhow::Result<BenchResult> {
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
    ensure!(
        !options.plain || options.wants(&plain::PARTS),
        "--plain has nothing to do with the parts of --only: add create, find, count, search or classes"
    );
    // Asked first, since somebody may commit meanwhile.
    let commit = commit();
    let started_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let pressure = Pressure::now();
    let begun = Instant::now();
    say(format_args!("starting the stack"));
    let stack = Stack::start_full_size(&options.server)?;
    let empty = options
        .wants(&[Part::Create, Part::Count])
        .then(|| Stack::start_full_size(&options.server))
        .transpose()?;
    let beside = options
        .plain
        .then(|| Stack::start_plain(&options.server))
        .transpose()?;
    let first = *options.tables.first().context("--tables names no table")?;
    let fill_with = |contents| -> anyhow::Result<()> {
        say(format_args!("filling the table with {} rows", options.rows));
        fill(&stack, &options.server, options.rows, contents, stop)?;
        if let Some(plain) = &beside {
            say(format_args!("filling that of the plain schema"));
            fill_plain(plain, &options.server, options.rows, contents, stop)?;
        }
        Ok(())
    };
    fill_with(first)?;
    let mut rig = Rig::new(options, stop, &stack, empty.as_ref(), beside.as_ref())?;
    let pooler_mode = rig
        .pgbench
        .as_ref()
        .map_or("", |pgbench| pgbench.mode(true));
    let pooler_mode = pooler_mode.to_owned();
    let measurements = plan::measurements(&mut rig)?;
    rig.rounds(&measurements)?;
    let mut measured = Vec::new();
    if options.wants(&[Part::Classes]) {
        measured.push(searches::measure(&mut rig, first)?);
    }
    if options.wants(&[Part::Mixed]) {
        mixed::measure(&mut rig)?;
    }
    if let Some(listed) = measured.first_mut() {
        searches::check(&rig, first, listed)?;
    }
    for table in &options.tables[1..] {
        fill_with(*table)?;
        let mut searched = searches::measure(&mut rig, *table)?;
        searches::check(&rig, *table, &mut searched)?;
        measured.push(searched);
    }
    let series = std::mem::take(&mut rig.series);
    drop(rig);
    let rows_at_end = client::count(&stack.api)?.context("the API does not count")?;
    let mut machine = Machine::look();
    machine.fdatasync_per_second = fdatasync_per_second(&stack.data);
    say(format_args!(
        "measured in {:.0} s",
        begun.elapsed().as_secs_f64()
    ));
    Ok(BenchResult {
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
        goals: goals::judge(options, &series),
        peers: goals::compare(options, &series, pooler_prepares(&stack)),
        plain: plain::compare(options, &series, &measured),
        class_goals: goals::of_classes(options.rows, &measured),
        series,
        searches: measured,
    })
}
