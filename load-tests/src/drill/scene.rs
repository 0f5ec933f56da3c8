//! The scene of a drill: its stack, its server and what stands between them, and the means to break and mend them.

mod moves;
mod parts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use warrior_stack::free_ports;
use warrior_stack::proxy::Proxy;

use self::moves::Moves;
use super::compare::{Counted, compare};
use super::evidence::Evidence;
use super::judge::{Breach, HEALED_WITHIN, Invariant};
use super::load::Driven;
use super::probe;
use super::rig::{Length, Rig, Unanswered};
use super::watch;
use crate::control::Cluster;
use crate::control_group::{ControlGroup, Limit};
use crate::database::DatabaseAccess;
use crate::server::Server;
use crate::stack::Programs;
use crate::target::Target;

/// Longest wait for anything that a drill itself waits for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often `/ready` is asked during an outage.
const READY_INTERVAL: Duration = Duration::from_millis(100);
/// How often it looks.
const POLL: Duration = Duration::from_millis(10);

/// A stack under a drill.
pub struct Scene {
    /// The server; none while it is down. It ends before its stack does.
    pub(super) server: Option<Server>,
    pub(super) cluster: Cluster,
    pub(super) proxy: Option<Proxy>,
    /// The addresses between which the name of PgBouncer moves, where the rig has one.
    pub(super) moves: Option<Moves>,
    /// The server's addresses, which it keeps.
    pub(super) target: Target,
    pub(super) admin: Target,
    pub(super) length: Length,
    programs: Programs,
    rig: Rig,
    /// Bounds the server's memory, where the rig does.
    group: Option<ControlGroup>,
    /// When the last healing ended.
    pub(super) healed_at: Instant,
    /// What was found since the round began.
    pub(super) evidence: Evidence,
    /// Where ledgers go.
    directory: PathBuf,
}

impl Scene {
    /// Starts a stack and a server with the rig of a drill, and waits until ten creates in a row succeed.
    pub(super) fn start(
        programs: &Programs,
        rig: Rig,
        length: Length,
        directory: &Path,
    ) -> anyhow::Result<Scene> {
        let cluster = Cluster::create(programs)?;
        cluster.apply_schema(&programs.server)?;
        let proxy = match rig.proxied {
            true => Some(Proxy::to(cluster.pooler_port()).context("the fault proxy")?),
            false => None,
        };
        let moves = match rig.named {
            true => Some(Moves::begin(&cluster)?),
            false => None,
        };
        let (port, admin) = free_ports()?;
        let at = |port| Target::parse(&format!("http://127.0.0.1:{port}"));
        let mut scene = Scene {
            cluster,
            proxy,
            moves,
            server: None,
            target: at(port)?,
            admin: at(admin)?,
            length,
            programs: programs.clone(),
            rig,
            group: (rig.memory_max)
                .map(|bytes| ControlGroup::make(Limit::MemoryBytes(bytes)))
                .transpose()?,
            healed_at: Instant::now(),
            evidence: Evidence::default(),
            directory: directory.to_owned(),
        };
        scene.start_server()?;
        if probe::heals(&scene.target, PATIENCE).is_none() {
            bail!("the server does not serve after {} s", PATIENCE.as_secs());
        }
        Ok(scene)
    }

    // ---- what a drill asks for -----------------------------------------------------------------

    /// Asks for something beyond the invariants.
    pub(super) fn demand(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.breach(Invariant::Asked, otherwise());
        }
    }

    /// Notes that an invariant was not kept.
    pub(super) fn breach(&mut self, invariant: Invariant, what: impl Into<String>) {
        let breach = Breach::of(invariant, what);
        self.evidence.breaches.push(breach);
    }

    /// Waits until ten creates in a row succeed, which ends the fault (I7).
    pub(super) fn heals(&mut self) {
        self.heals_within(HEALED_WITHIN);
    }

    /// The same for a fault whose healing may take longer.
    pub(super) fn heals_within(&mut self, limit: Duration) {
        let took = probe::heals(&self.target, PATIENCE);
        self.healed_at = Instant::now();
        self.evidence.figures.healed(took.unwrap_or(PATIENCE));
        let what = match took {
            Some(took) if took <= limit => return,
            Some(took) => {
                format!("ten creates in a row only {took:.1?} after the end of the fault")
            }
            None => format!("no ten creates in a row within {} s", PATIENCE.as_secs()),
        };
        self.breach(Invariant::I7, what);
    }

    /// Holds a fault under which nothing can be served: `/ready` must say so (I9). Silence says nothing.
    pub(super) fn hold_unready(&mut self, length: Duration) {
        let until = Instant::now() + length;
        let mut said = BTreeSet::new();
        while Instant::now() < until {
            said.insert(probe::status(&self.admin, "/ready"));
            std::thread::sleep(READY_INTERVAL);
        }
        if let Some(what) = watch::unready(&said) {
            self.breach(
                Invariant::I9,
                format!("in an outage of {length:.1?} {what}"),
            );
        }
    }

    /// Judges another load than the round's own.
    pub(super) fn judge_also(
        &mut self,
        driven: &Driven,
        allowed: Unanswered,
        target: &Target,
        database: &DatabaseAccess,
    ) -> anyhow::Result<()> {
        let now = Instant::now();
        let compared = compare(target, database, &driven.ledger, now, Counted::ByOthersToo);
        self.evidence.judge(driven, allowed, compared)
    }

    /// Where ledgers go.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The programs under test.
    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The length of a fault: quick, or full, in seconds.
    pub(super) fn seconds(&self, quick: f64, full: f64) -> Duration {
        Duration::from_secs_f64(self.length.of(quick, full))
    }
}
