//! `warrior-api schema`: migrations, for operators.

use std::io::Write;

use anyhow::Context;
use warrior_api::config::{SchemaAction, SchemaArgs};
use warrior_api::store::{connect_direct, schema};

use super::output::Output;

pub(super) fn run(args: &SchemaArgs, output: Output) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let SchemaAction::Print { plain } = args.action {
        let text = match plain {
            true => schema::print_plain(),
            false => schema::print(),
        };
        return Ok(out.write_all(text.as_bytes())?);
    }
    let mut owner = connect_direct(&args.owner()?).context(
        "schema commands log in directly, with POSTGRES_DIRECT_HOST, POSTGRES_DIRECT_PORT, POSTGRES_OWNER \
         and POSTGRES_OWNER_PASSWORD(_FILE)",
    )?;
    let mut progress = |step: String| output.print_status(&step);
    match args.action {
        SchemaAction::Apply { plain, distribute } => {
            let role = args.runtime_role();
            let applied = match plain {
                true => schema::apply_plain(&mut owner, role, distribute, &mut progress)?,
                false => schema::apply_for(&mut owner, role, &mut progress)?,
            };
            writeln!(out, "{applied}")?;
        }
        SchemaAction::Status => {
            let status = schema::status_for(&mut owner, args.runtime_role())?;
            writeln!(out, "{status}")?;
            anyhow::ensure!(status.pending.is_empty(), "the schema is not current");
            anyhow::ensure!(
                status.faults.is_empty(),
                "the schema is current, and not in order"
            );
        }
        SchemaAction::Recount => {
            let recounted = schema::recount(&mut owner, &mut progress)?;
            writeln!(out, "{recounted}")?;
        }
        SchemaAction::Print { .. } => {}
    }
    Ok(())
}
