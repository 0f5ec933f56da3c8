//! `warrior-api health`: a health check over the admin listener, for containers.

use std::io::Write;

use warrior_api::config::HealthArgs;
use warrior_api::ops;

pub(super) fn run(args: &HealthArgs) -> anyhow::Result<()> {
    let path = if args.live { "/live" } else { "/ready" };
    let text = ops::ask_health(args.admin(), path)?;
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
