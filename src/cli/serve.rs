//! `warrior-api serve`: the server before a database that others run.

use warrior_api::config::ServeArgs;
use warrior_api::serve;
use warrior_api::store::Look;
use warrior_stack::descriptors;

use super::output::Output;
use super::process::{drain, start_runtime, stop_on_signal};

pub(super) fn run(args: &ServeArgs, output: Output) -> anyhow::Result<()> {
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
