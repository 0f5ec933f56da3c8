//! `schema`: the JSON Schema of the result file.

use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::result::RunResult;

pub(super) fn execute() -> anyhow::Result<Exit> {
    let schema = schemars::schema_for!(RunResult);
    say(format_args!("{}", serde_json::to_string_pretty(&schema)?));
    Ok(Exit::Passed)
}
