//! `panicking-server`: `warrior-api serve` whose workers panic now and then, for the drill D3. No release has it.

mod store;

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use warrior_api::config::{self, Command, Loaded};
use warrior_api::{ops, serve};
use warrior_stack::{Stop, signals};

use store::{Lane, Panicking, Place};

/// Of how many passes of a place one panics; searches are few.
const ONE_OF: u64 = 40;
const ONE_SEARCH_OF: u64 = 4;

fn main() -> anyhow::Result<()> {
    let Loaded::Command(cli) = config::load()? else {
        return Ok(());
    };
    let Command::Serve(args) = &cli.command else {
        bail!("want `serve`, with the flags and the environment of `warrior-api serve`");
    };
    let _logs = ops::start_logs(cli.log_format, &cli.log_level)?;
    let (server, database, secret) = (args.server()?, args.database()?, args.idempotency_secret()?);
    let stop = Stop::default();
    let asked = stop.clone();
    signals::on_signal(move || asked.ask())?;
    let runtime = Runtime::new().context("the async runtime cannot be started")?;
    let running = runtime.block_on(serve::start_within(
        &server,
        &database,
        secret.as_ref(),
        |store| Panicking::new(store, now_and_then()),
    ))?;
    stop.wait();
    runtime.block_on(running.stop());
    Ok(())
}

/// Panics at every so many passes of each place.
fn now_and_then() -> impl Fn(Place) + Send + Sync {
    let passes: Mutex<Vec<(Place, u64)>> = Mutex::default();
    move |place| {
        let one_of = match place {
            Place::Before(Lane::Search) | Place::After(Lane::Search) => ONE_SEARCH_OF,
            _ => ONE_OF,
        };
        let passed = {
            let mut passes = passes.lock().unwrap_or_else(PoisonError::into_inner);
            let at = passes.iter().position(|(other, _)| *other == place);
            let at = at.unwrap_or_else(|| {
                passes.push((place, 0));
                passes.len() - 1
            });
            passes[at].1 += 1;
            passes[at].1
        };
        assert!(!passed.is_multiple_of(one_of), "provoked: {place:?}");
    }
}
