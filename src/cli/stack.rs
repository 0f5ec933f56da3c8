//! `warrior-api stack`: PostgreSQL and PgBouncer alone, commanded by a parent process.

use warrior_api::config::StackArgs;
use warrior_stack::{descriptors, run_commanded};

use super::output::Output;
use super::unprivileged::unprivileged;

pub(super) fn run(args: &StackArgs, output: Output) -> anyhow::Result<()> {
    let connections = args.connections()?;
    // Before the stack starts: PgBouncer inherits the limit, and a limit that stays low is its own to report.
    let _ = descriptors::raise();
    let embedded = unprivileged(args.embedded(), output)?;
    Ok(run_commanded(&embedded, connections)?)
}
