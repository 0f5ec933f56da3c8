//! The rig of a comparison of settings: one stack, and rounds of both values in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::Uri;
use warrior_load::client;
use warrior_load::output::say;
use warrior_load::stack::Stack;
use warrior_load::workload::Kind;

use super::cold;
use super::comparison::{Compared, Measured};
use super::forms::{self, Forms};
use super::listed::RequestedSetting;
use super::options::{Load, SettingsOptions};
use super::restart::restart;
use super::setting::Setting;
use crate::cpu::Processes;
use crate::fill::{Contents, fill};
use crate::hits::Hits;
use crate::http::{self, HttpLoad, Request, TIMEOUT, WARMUP};
use crate::sample::Sample;
use crate::table;
use crate::terms::classes;

/// Draws the requests of the second before a measurement, which differ from the measured ones.
const WARM_SEED: u64 = 0x7761_726d;
/// How often a measurement is taken until all of its statements had one form.
const FORM_ATTEMPTS: usize = 4;

/// The stack under measurement, and the requests to it.
pub(super) struct SettingsRig<'s> {
    options: &'s SettingsOptions,
    stop: &'s Arc<AtomicBool>,
    stack: Stack,
    finds: Arc<[Uri]>,
    searches: Arc<[Uri]>,
    /// Draws the requests of a pair of measurements; grows with each.
    seed: u64,
}

impl<'s> SettingsRig<'s> {
    /// Asks the stack for the settings, and fills its table only when all of them can be compared.
    pub(super) fn fill(
        options: &'s SettingsOptions,
        requested: &[RequestedSetting],
        stop: &'s Arc<AtomicBool>,
        mut stack: Stack,
    ) -> anyhow::Result<(SettingsRig<'s>, Vec<Setting>)> {
        let settings = requested
            .iter()
            .map(|requested| Setting::find(&mut stack, requested))
            .collect::<anyhow::Result<_>>()?;
        say(format_args!("filling the table with {} rows", options.rows));
        fill(
            &stack,
            &options.server,
            options.rows,
            Contents::Laboratory,
            stop,
        )?;
        let mut searches = Vec::new();
        for class in classes(options.rows, Contents::Laboratory) {
            searches.extend(class.uris(&stack.api)?.iter().cloned());
        }
        let rig = SettingsRig {
            options,
            stop,
            finds: table::sample(&stack)?,
            stack,
            searches: searches.into(),
            seed: 1,
        };
        Ok((rig, settings))
    }

    /// Rounds of the default and our value in turn, under each load of the setting.
    pub(super) fn compare(
        &mut self,
        requested: &RequestedSetting,
        setting: &Setting,
    ) -> anyhow::Result<Vec<Compared>> {
        let loads = match self.options.loads.as_slice() {
            [] => requested.loads,
            chosen => chosen,
        };
        let mut all = Vec::new();
        for load in loads {
            if *load == Load::Cold && !cfg!(target_os = "linux") {
                say(format_args!(
                    "  {} cold: left out, since only Linux can be made to forget",
                    requested.name
                ));
                continue;
            }
            let mut compared = Compared {
                name: requested.name.clone(),
                load: *load,
                default: setting.default.clone(),
                ours: setting.ours.clone(),
                seconds: requested.seconds.max(self.options.seconds),
                pairs: Vec::new(),
            };
            for round in 0..self.options.rounds {
                // The same requests for both.
                self.seed += 1;
                let mut pair = [Measured::default(); 2];
                for place in 0..2 {
                    let ours = (place + round) % 2;
                    setting.apply(&mut self.stack, ours == 1)?;
                    pair[ours] = match setting.names_statements(ours == 1) {
                        None => self.measure(*load, compared.seconds)?,
                        Some(named) => self.measure_form(*load, compared.seconds, named)?,
                    };
                }
                let [default, ours] = pair;
                say(format_args!(
                    "  {} {load:?} {}/{}: default {:.0}/s, ours {:.0}/s",
                    requested.name,
                    round + 1,
                    self.options.rounds,
                    default.sample.rate,
                    ours.sample.rate
                ));
                compared.pairs.push((default, ours));
            }
            all.push(compared);
        }
        setting.apply(&mut self.stack, true)?;
        Ok(all)
    }

    /// As [`measure`](Self::measure), where every statement must go out named, or none of them. The server goes back to
    /// the other form for half a minute when a trial of its way takes too long.
    fn measure_form(&mut self, load: Load, seconds: u32, named: bool) -> anyhow::Result<Measured> {
        for _ in 0..FORM_ATTEMPTS {
            forms::wait(&self.stack, named)?;
            let before = Forms::read(&self.stack)?;
            let measured = self.measure(load, seconds)?;
            if Forms::read(&self.stack)?.since(before).are(named) {
                return Ok(measured);
            }
        }
        bail!(
            "{load:?}: the server did not keep to {} statements in {FORM_ATTEMPTS} attempts; is the machine busy?",
            if named { "named" } else { "unnamed" }
        )
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
        // Otherwise the next measurement would clean up after this one.
        table::flush(&self.stack)?;
        Ok(Measured { sample, log_bytes })
    }

    /// Warriors in the table, and bytes in the log.
    fn written(&self, superuser: &mut postgres::Client) -> anyhow::Result<(u64, f64)> {
        let rows = client::count(&self.stack.api)?.context("the API does not count")?;
        let row = superuser.query_one(include_str!("../sql/log_bytes.sql"), &[])?;
        Ok((rows, row.try_get(0)?))
    }

    fn send(&self, load: Load, length: Duration, seed: u64) -> anyhow::Result<Sample> {
        let (kind, connections) = match load {
            Load::Create => (Kind::CreateValid, 64),
            Load::Find => (Kind::OneOf(Arc::clone(&self.finds)), 64),
            Load::Count => (Kind::Count, 64),
            Load::Search | Load::Cold => (Kind::OneOf(Arc::clone(&self.searches)), 32),
        };
        let request = Request {
            kinds: vec![(Hits::Any, kind)],
            target: self.stack.api.clone(),
            processes: Processes::of_stack(&self.stack),
            load: HttpLoad::Connections(self.options.connections.unwrap_or(connections)),
            threads: self.options.threads,
            // The first of them are what a cold start is about.
            warmup: if load == Load::Cold {
                Duration::ZERO
            } else {
                WARMUP
            },
            length,
            timeout: TIMEOUT,
            may_be_refused: false,
            seed,
        };
        http::measure(&request, self.stop).with_context(|| format!("{load:?}"))
    }
}
