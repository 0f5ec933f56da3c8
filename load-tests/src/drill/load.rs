//! The load of a drill: creates with their finds, searches and counts by the engine, with a ledger, while something
//! else goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use super::rig::Length;
use crate::client;
use crate::collect::Collected;
use crate::database::DatabaseAccess;
use crate::drive::drive;
use crate::engine::Plan;
use crate::ledger::{Header, Ledger};
use crate::profile::{Overrides, Profile, compile};
use crate::target::Target;

/// Searches and counts for each create: enough to see that reads keep their promises, too.
const SEARCH_SHARE: f64 = 0.05;
const COUNTS_PER_SECOND: f64 = 5.0;

/// Connections of a load that is more than the server carries.
const OPEN_MAX: usize = 4_000;

/// The row of the creates among the endpoints of a load.
pub(super) const CREATE: usize = 0;

/// A load that was driven to its end.
pub(super) struct Driven {
    /// What was counted, and where its ledger is not whole, why.
    pub(super) collected: Collected,
    pub(super) ledger: PathBuf,
}

/// What is loaded, and where its ledger goes.
pub(super) struct Load<'a> {
    pub(super) target: &'a Target,
    /// Access to the database, whose clock tells rows of this load from others.
    pub(super) database: Option<&'a DatabaseAccess>,
    pub(super) directory: &'a Path,
}

impl Load<'_> {
    /// Drives a profile beside `meanwhile`, and ends it after that.
    ///
    /// # Errors
    /// When the load cannot be sent.
    pub(super) fn beside<R>(
        &self,
        profile: &str,
        meanwhile: impl FnOnce() -> R,
    ) -> anyhow::Result<(R, Driven)> {
        self.drive(profile, |stop| {
            let done = meanwhile();
            stop.store(true, Ordering::Relaxed);
            done
        })
    }

    /// Drives a profile to its own end.
    ///
    /// # Errors
    /// As [`Load::beside`].
    pub(super) fn whole(&self, profile: &str) -> anyhow::Result<Driven> {
        let ((), driven) = self.drive(profile, |_| {})?;
        Ok(driven)
    }

    fn drive<R>(
        &self,
        profile: &str,
        meanwhile: impl FnOnce(&AtomicBool) -> R,
    ) -> anyhow::Result<(R, Driven)> {
        let run = uuid::Uuid::now_v7();
        let plan = Arc::new(plan(self.target, profile, run)?);
        let url = &self.target.url;
        let mut header = Header::new(&run.to_string(), url, client::count(self.target)?);
        header.database_clock = self.database.map(DatabaseAccess::clock).transpose()?;
        let path = self.directory.join(format!("drill-{run}.ledger"));
        let ledger = Arc::new(Ledger::create(&path, &header)?);
        let stop = Arc::new(AtomicBool::new(false));
        let (done, driven) = std::thread::scope(|scope| {
            let load = scope.spawn(|| drive(&plan, Some(&ledger), &stop, |_, _| {}));
            let done = meanwhile(&stop);
            (done, load.join())
        });
        let collected = driven
            .map_err(|_| anyhow::anyhow!("the thread of the load panicked; please report it"))?
            .context("the load could not be driven")?;
        let driven = Driven {
            collected,
            ledger: path,
        };
        Ok((done, driven))
    }
}

fn plan(target: &Target, profile: &str, run: uuid::Uuid) -> anyhow::Result<Plan> {
    let profile = Profile::parse(profile, Path::new("."))?;
    let (seed, letters) = run.as_u64_pair();
    let overrides = Overrides {
        // No other run stores these rows.
        letters: Some(letters),
        ..Overrides::seeded(seed)
    };
    compile(&profile, target, &overrides)
}

/// The load of a round, longer than any: what is due after its end is not sent.
pub(super) fn profile(rate: f64, length: Length) -> String {
    let (seconds, search) = (length.of(300, 900), (rate * SEARCH_SHARE).max(1.0));
    let scenario = |name: &str, request: &str, rate: f64, more: &str| {
        format!(
            "[[scenario]]\nname = '{name}'\nrequest = '{request}'\n\
             arrivals = [{{ rate = {rate:?}, for = '{seconds}s' }}]\n{more}"
        )
    };
    let follow = "follow = { name = 'find', after_min = '10ms', after_max = '200ms' }\n";
    [
        "name = 'drill'\ntimeout = '8s'\n".to_owned(),
        scenario("create", "create-valid", rate, follow),
        scenario("search", "search", search, ""),
        scenario("count", "count", COUNTS_PER_SECOND, ""),
    ]
    .concat()
}

/// Creates over so many kept-alive connections, each with one request after the other.
pub(super) fn closed(connections: usize, seconds: u32) -> String {
    format!(
        "name = 'closed'\ntimeout = '8s'\n[closed]\nconnections = {connections}\nfor = '{seconds}s'\n\
         [[scenario]]\nname = 'create'\nrequest = 'create-valid'\n"
    )
}

/// Creates in the open model, over fewer connections than a server has places for.
pub(super) fn open(rate: f64, seconds: u32) -> String {
    format!(
        "name = 'open'\ntimeout = '8s'\nconnections_max = {OPEN_MAX}\n[[scenario]]\nname = 'create'\nrequest = 'create-valid'\n\
         arrivals = [{{ rate = {rate:?}, for = '{seconds}s' }}]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_creates_come_first_and_their_finds_are_counted_apart() {
        let target = Target::parse("http://127.0.0.1:1").expect("a URL");
        let plan = plan(&target, &profile(10.0, Length::Quick), uuid::Uuid::nil()).expect("a plan");
        assert_eq!(plan.endpoints[CREATE], "create");
        assert_eq!(plan.endpoints, ["create", "find", "search", "count"]);
        assert!(plan.creates());
    }
}
