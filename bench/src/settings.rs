//! `warrior-load settings`: what it would cost to leave a setting of `postgres-conf/` or `pgbouncer/` at its
//! default.
//!
//! The stack runs with our values. For each setting, rounds of our value and the default take turns, every
//! second round in the opposite order, under the same short load; neighbours are compared with each other.
//! The defaults are asked of the programs, so nothing here has to be kept in step with them.

mod cold;
mod knob;
mod listed;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use hyper::Uri;

use self::knob::{Knob, restart};
use self::listed::{Wanted, wanted};
use super::cpu::Processes;
use super::fill::{SkillPool, fill};
use super::http::{self, HttpLoad, Request, WARMUP};
use super::sample::Sample;
use super::terms::classes;
use warrior_load::machine::{Machine, Pressure};
use warrior_load::output::say;
use warrior_load::stress::Stack;
use warrior_load::workload::Kind;

/// Draws the requests of the second before a measurement: others than the measured ones.
const WARM_SEED: u64 = 0x7761_726d;

/// What the command line decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's binary.
    pub server: PathBuf,
    /// Rows in the table before anything is measured.
    pub rows: u64,
    /// Rounds for each setting.
    pub rounds: usize,
    /// How long each measurement takes at least.
    pub seconds: u32,
    /// Generator threads.
    pub threads: usize,
    /// `NAME`, or `NAME=VALUE` for a value other than the default; all that are listed here without.
    pub settings: Vec<String>,
    /// The loads, instead of those that the settings are about.
    pub loads: Vec<Load>,
}

/// What keeps the stack busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Load {
    /// Creates on 64 connections, right after a checkpoint.
    Create,
    /// Finds by id on 64 connections.
    Find,
    /// Searches of every class on 32 connections.
    Search,
    /// The same right after a restart, when every page comes from the disk.
    Cold,
}

/// One setting under one load.
struct Compared {
    name: String,
    load: Load,
    default: String,
    ours: String,
    seconds: u32,
    /// One pair a round: with the default, and with our value.
    pairs: Vec<(Measured, Measured)>,
}

/// A sample, and what it wrote to the log.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    sample: Sample,
    /// Bytes of write-ahead log for each warrior that was stored; 0 where none was.
    log_bytes: f64,
}

/// A stack, and what is asked of it.
struct Rig<'s> {
    options: &'s Options,
    stop: &'s Arc<AtomicBool>,
    stack: Stack,
    finds: Arc<[Uri]>,
    searches: Arc<[Uri]>,
    /// Draws the requests of a pair of measurements; grows with each.
    seed: u64,
}

/// Measures, and gives a Markdown page.
///
/// # Errors
/// When a setting is unknown, the stack cannot be started or does not come back from a restart, or the run
/// was interrupted.
pub fn settings(options: &Options, stop: &Arc<AtomicBool>) -> anyhow::Result<String> {
    ensure!(
        options.rows > 0 && options.rounds > 0 && options.seconds > 0,
        "--rows, --rounds and --seconds must be at least 1"
    );
    let pressure = Pressure::now();
    let wanted = wanted(options)?;
    say(format_args!(
        "starting the stack and filling the table with {} rows",
        options.rows
    ));
    let mut rig = Rig::start(options, stop)?;
    let mut compared = Vec::new();
    for setting in &wanted {
        compared.extend(rig.compare(setting)?);
    }
    let held = Pressure::now().since(pressure);
    Ok(table::page(options, &Machine::look(), held, &compared))
}

impl<'s> Rig<'s> {
    fn start(options: &'s Options, stop: &'s Arc<AtomicBool>) -> anyhow::Result<Rig<'s>> {
        let stack = Stack::start_full_size(&options.server)?;
        fill(
            &stack,
            &options.server,
            options.rows,
            SkillPool::MartialArts,
        )?;
        let rows = stack.owner().connect()?.query(
            "select id from public.warrior order by random() limit 10000",
            &[],
        )?;
        let finds: anyhow::Result<_> = rows
            .iter()
            .map(|row| {
                let id: uuid::Uuid = row.try_get(0)?;
                stack.api.uri(&format!("/warrior/{id}"))
            })
            .collect();
        let mut searches = Vec::new();
        for class in classes(options.rows, SkillPool::MartialArts) {
            searches.extend(class.uris(&stack.api)?.iter().cloned());
        }
        Ok(Rig {
            options,
            stop,
            stack,
            finds: finds?,
            searches: searches.into(),
            seed: 1,
        })
    }

    /// Rounds of the default and our value in turn, under each load of the setting.
    fn compare(&mut self, wanted: &Wanted) -> anyhow::Result<Vec<Compared>> {
        let instead = wanted.instead.as_deref();
        let knob = Knob::find(&self.stack, wanted.program, &wanted.name, instead)?;
        let loads = match self.options.loads.as_slice() {
            [] => wanted.loads,
            chosen => chosen,
        };
        let mut all = Vec::new();
        for load in loads {
            if *load == Load::Cold && !cfg!(target_os = "linux") {
                say(format_args!(
                    "  {} cold: left out, since only Linux can be told to forget",
                    wanted.name
                ));
                continue;
            }
            let mut compared = Compared {
                name: wanted.name.clone(),
                load: *load,
                default: knob.default.clone(),
                ours: knob.ours.clone(),
                seconds: wanted.seconds.max(self.options.seconds),
                pairs: Vec::new(),
            };
            for round in 0..self.options.rounds {
                // The same requests for both.
                self.seed += 1;
                let mut pair = [Measured::default(); 2];
                for place in 0..2 {
                    let ours = (place + round) % 2;
                    knob.turn(&mut self.stack, ours == 1)?;
                    pair[ours] = self.measure(*load, compared.seconds)?;
                }
                let [default, ours] = pair;
                say(format_args!(
                    "  {} {load:?} {}/{}: default {:.0}/s, ours {:.0}/s",
                    wanted.name,
                    round + 1,
                    self.options.rounds,
                    default.sample.rate,
                    ours.sample.rate
                ));
                compared.pairs.push((default, ours));
            }
            all.push(compared);
        }
        knob.turn(&mut self.stack, true)?;
        Ok(all)
    }

    fn measure(&mut self, load: Load, seconds: u32) -> anyhow::Result<Measured> {
        if load == Load::Cold {
            self.stack
                .superuser()
                .connect()?
                .batch_execute("checkpoint")?;
            restart(&mut self.stack)?;
            cold::forget(&self.stack.data.join("pg/base"))?;
        } else {
            // A second of the same load fills the connections and caches that the change has emptied.
            self.send(load, Duration::from_secs(1), WARM_SEED)?;
        }
        let mut superuser = self.stack.superuser().connect()?;
        // Afterwards every page that changes is logged whole once, in each measurement alike.
        superuser.batch_execute("checkpoint")?;
        let before = self.written(&mut superuser)?;
        let sample = self.send(load, Duration::from_secs(u64::from(seconds)), self.seed)?;
        let after = self.written(&mut superuser)?;
        ensure!(!self.stop.load(Ordering::Relaxed), "interrupted");
        let rows = after.0.saturating_sub(before.0);
        let log_bytes = match rows {
            0 => 0.0,
            rows => (after.1 - before.1) / rows as f64,
        };
        // What the next measurement would else have to clean up after this one.
        self.stack
            .owner()
            .connect()?
            .batch_execute("select public.warrior_flush()")?;
        Ok(Measured { sample, log_bytes })
    }

    /// Warriors in the table, and bytes in the log.
    fn written(&self, superuser: &mut postgres::Client) -> anyhow::Result<(u64, f64)> {
        let rows =
            warrior_load::client::count(&self.stack.api)?.context("the API does not count")?;
        let row =
            superuser.query_one("select (pg_current_wal_insert_lsn() - '0/0')::float8", &[])?;
        Ok((rows, row.try_get(0)?))
    }

    fn send(&self, load: Load, length: Duration, seed: u64) -> anyhow::Result<Sample> {
        let (kind, connections) = match load {
            Load::Create => (Kind::CreateValid, 64),
            Load::Find => (Kind::OneOf(Arc::clone(&self.finds)), 64),
            Load::Search | Load::Cold => (Kind::OneOf(Arc::clone(&self.searches)), 32),
        };
        let request = Request {
            kind,
            target: self.stack.api.clone(),
            processes: Processes::of_stack(&self.stack),
            load: HttpLoad::Connections(connections),
            threads: self.options.threads,
            // The first of them are what a cold start is about.
            warmup: if load == Load::Cold {
                Duration::ZERO
            } else {
                WARMUP
            },
            length,
            seed,
        };
        http::measure(&request, self.stop).with_context(|| format!("{load:?}"))
    }
}
