//! `warrior-api serve`: the server before a database that others run, or on a DuckDB file.

use warrior_api::config::{Local, ServeArgs};
use warrior_api::serve;
use warrior_api::store::Look;
use warrior_stack::descriptors;

use super::output::Output;
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
    let stop = stop_on_signal()?;
    let store = serve::open_local(&server, local)?;
    let runtime = start_runtime()?;
    let starting = serve::start_local(&server, store.clone(), secret.as_ref());
    let running = runtime.block_on(starting)?;
    let file = local.file.display();
    output.print_status(&format!(
        "DB_MODE=local: {file} is held by this process alone"
    ));
    output.print_listening(&running);
    stop.wait();
    output.print_status("stopping: finishing open requests, then closing the file");
    drain(&runtime, running);
    if let Err(why) = store.checkpoint() {
        output.print_warning(&format!(
            "the write-ahead log stays beside {file}, and the next start replays it: {why}"
        ));
    }
    output.print_status("stopped");
    Ok(())
}

#[cfg(not(feature = "duckdb"))]
fn run_local(_: &ServeArgs, _: &Local, _: Output) -> anyhow::Result<()> {
    unreachable!("the configuration refuses DB_MODE=local")
}
