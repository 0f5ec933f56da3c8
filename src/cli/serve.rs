//! `warrior-api serve`: the server before a database that others run, or on a DuckDB file.

#[cfg(feature = "duckdb")]
use std::path::Path;

#[cfg(feature = "duckdb")]
use nix::sys::stat::{Mode, umask};
use warrior_api::config::{Local, ServeArgs};
use warrior_api::serve;
#[cfg(feature = "duckdb")]
use warrior_api::store::Found;
use warrior_api::store::Look;
use warrior_stack::descriptors;

use super::output::Output;
#[cfg(feature = "duckdb")]
use super::process::drain_file;
use super::process::{drain, start_runtime, stop_on_signal};

pub(super) fn run(args: &ServeArgs, output: Output) -> anyhow::Result<()> {
    if let Some(local) = args.local()? {
        return run_local(args, &local, output);
    }
    let (secret, database) = (args.idempotency_secret()?, args.database()?);
    let mut server = args.server()?;
    if let Some(limit) = descriptors::raise() {
        server.sizes.fit_descriptors(limit);
    }
    let (stop, runtime) = (stop_on_signal()?, start_runtime()?);
    let look = Look::begin(&database, server.sizes.pool());
    let running = runtime.block_on(serve::start(&server, &database, secret.as_ref()))?;
    for line in look.end() {
        output.print_warning(&line);
    }
    output.print_listening(&running);
    stop.wait();
    output.print_status("stopping: finishing open requests");
    drain(&runtime, running);
    output.print_status("stopped");
    Ok(())
}

/// The server on a DuckDB file, which this process holds alone.
#[cfg(feature = "duckdb")]
fn run_local(args: &ServeArgs, local: &Local, output: Output) -> anyhow::Result<()> {
    let (secret, mut server) = (args.idempotency_secret()?, args.server()?);
    if let Some(limit) = descriptors::raise() {
        server.sizes.fit_descriptors(limit);
    }
    // What DuckDB makes holds every warrior and the secret of keys: the file, its log, what a sort spills.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let stop = stop_on_signal()?;
    let store = serve::open_local(&server, local)?;
    let given_up = stop.clone();
    store.when_given_up(move || given_up.ask());
    let runtime = start_runtime()?;
    let starting = serve::start_local(&server, store.clone(), secret.as_ref());
    let running = runtime.block_on(starting)?;
    let file = local.file.display();
    print_found(&local.file, store.found(), output);
    output.print_listening(&running);
    stop.wait();
    output.print_status("stopping: finishing open requests, then closing the file");
    drain_file(&runtime, running, &store);
    if store.is_given_up() {
        anyhow::bail!(
            "DuckDB has given {file} up after a fatal error, which the log names; look for the cause (disk full, disk \
             broken), then start this server again: what was acknowledged is in the file or in the .wal beside it"
        );
    }
    if let Err(why) = store.checkpoint() {
        output.print_warning(&format!(
            "the write-ahead log stays beside {file}, and the next start replays it: {why}"
        ));
    }
    output.print_status("stopped");
    Ok(())
}

#[cfg(feature = "duckdb")]
fn print_found(file: &Path, found: &Found, output: Output) {
    let held = match found.warriors {
        None => "made, empty".to_owned(),
        Some(1) => "1 warrior".to_owned(),
        Some(number) => format!("{number} warriors"),
    };
    output.print_status(&format!(
        "DB_MODE=local: {} ({held}) is held by this process alone",
        file.display()
    ));
    if !found.zoned {
        output.print_warning(
            "created_at has no zone in this file: its times are taken and written as UTC, as `warrior-api duckdb import` takes \
             them; where the service before wrote its machine's local time, import the file with --time-zone instead",
        );
    }
    for constraint in &found.constraints {
        output.print_warning(&format!(
            "the contract does not know this constraint of the table warrior, and a create that it refuses is answered \
             422: {constraint}"
        ));
    }
}

#[cfg(not(feature = "duckdb"))]
fn run_local(_: &ServeArgs, _: &Local, _: Output) -> anyhow::Result<()> {
    unreachable!("the configuration refuses DB_MODE=local")
}
