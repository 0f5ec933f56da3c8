//! `warrior-api up`: the server with a PostgreSQL and a PgBouncer of its own.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use warrior_api::config::{ConfigError, Database, Monitoring, UpArgs};
use warrior_api::ops::LogGuard;
use warrior_api::serve;
use warrior_api::store::{connect_direct, pooler_shortcomings, schema};
use warrior_stack::announcement::{self, Announcement};
use warrior_stack::{DATABASE, StackError, Stop, descriptors, signals};

use super::output::Output;
use super::process::{drain, start_runtime, stop_on_signal};
use super::unprivileged::unprivileged;

/// How often work on another thread is asked whether it is done.
const WORK_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Starts everything, and at the end stops all in order: the server, PgBouncer, PostgreSQL.
pub(super) fn run(
    args: &UpArgs,
    output: Output,
    logs: &dyn Fn() -> Result<LogGuard, ConfigError>,
) -> anyhow::Result<()> {
    let (mut server, interval) = (args.server()?, args.monitoring_interval()?);
    let embedded = unprivileged(args.embedded(), output)?;
    let _logs = logs()?;
    // Before the stack starts: PgBouncer inherits the limit.
    if let Some(limit) = descriptors::raise() {
        server.sizes.fit_descriptors(limit);
    }
    // Before anything is started, so that a stop during the start is not lost and leaves nothing behind.
    let stop = stop_on_signal()?;
    if args.until_stdin_ends {
        let ended = stop.clone();
        signals::on_input_end(move || ended.ask())?;
    }
    let runtime = start_runtime()?;
    let connections = args.connections(&server.sizes)?;
    let mut progress = |step: &str| output.print_status(step);
    let mut stack = match warrior_stack::start(&embedded, connections, &mut progress, &stop) {
        Err(StackError::Interrupted) => {
            output.print_status("stopped");
            return Ok(());
        }
        started => started?,
    };
    let endpoints = stack.endpoints();
    let owner = endpoints.owner(DATABASE);
    let plain = args.plain;
    let applied = unless_stopped(&stop, move || apply_schema(&owner, plain, output))?;
    if applied.transpose()?.is_none() {
        // The rest of the schema is for the next start; PostgreSQL cuts the statement off.
        output.print_status(
            "stopping: PgBouncer, then PostgreSQL; the next start goes on with the schema",
        );
        stack.stop()?;
        output.print_status("stopped");
        return Ok(());
    }
    let secret = endpoints.idempotency_secret().read()?;
    let login = endpoints.runtime(DATABASE);
    server.monitoring = Some(Monitoring::new(
        endpoints.monitor(DATABASE),
        endpoints.pooler_statistics(),
        login.user.clone(),
        interval,
    ));
    let running = runtime.block_on(serve::start(&server, &login, &secret))?;
    warrior_stack::announce_admin(&endpoints.data, running.admin)
        .context("the data folder cannot tell where the admin listener is")?;
    if args.until_stdin_ends {
        announcement::print(&Announcement {
            http: running.public,
            admin: running.admin,
            running: endpoints.clone(),
        })?;
    }
    let console = endpoints.pooler_statistics();
    let look = move || pooler_shortcomings(&console, DATABASE, connections.pool);
    for line in unless_stopped(&stop, look)?.unwrap_or_default() {
        output.print_warning(&line);
    }
    output.print_listening(&running);
    let outcome = stack.supervise(&stop);
    output.print_status("stopping: finishing open requests, then PgBouncer, then PostgreSQL");
    drain(&runtime, running);
    let stopped = stack.stop();
    output.print_status("stopped");
    // The cause of the end explains a failure of the stop.
    Ok(outcome.and(stopped)?)
}

fn apply_schema(owner: &Database, plain: bool, output: Output) -> anyhow::Result<()> {
    let mut owner = connect_direct(owner).context("the schema's owner cannot log in")?;
    let mut progress = |step: String| output.print_status(&step);
    match plain {
        true => schema::apply_plain(&mut owner, schema::RUNTIME_ROLE, false, &mut progress)?,
        false => schema::apply(&mut owner, &mut progress)?,
    };
    Ok(())
}

/// The result of `work` on a thread of its own, or nothing after a stop, which does not wait for the thread.
fn unless_stopped<T: Send + 'static>(
    stop: &Stop,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let work = thread::Builder::new()
        .name("start".to_owned())
        .spawn(work)
        .map_err(StackError::NoThread)?;
    while !work.is_finished() {
        if stop.wait_within(WORK_CHECK_INTERVAL) {
            return Ok(None);
        }
    }
    match work.join() {
        Ok(done) => Ok(Some(done)),
        Err(panic) => resume_unwind(panic),
    }
}
