//! `warrior-api stack`: PostgreSQL and PgBouncer alone, commanded by a parent process.

use warrior_api::config::StackArgs;
use warrior_stack::{descriptors, run_commanded};

use super::output::Output;
use super::unprivileged::unprivileged;

pub(super) fn run(args: &StackArgs, output: Output) -> anyhow::Result<()> {
    let mut sizes = args.sizes()?;
    // Before the stack starts: PgBouncer inherits the limit.
    sizes.connections_max = descriptors::raise_for(&sizes);
    let embedded = unprivileged(args.embedded(), output)?;
    Ok(run_commanded(&embedded, &sizes)?)
}
