//! `warrior-api doctor`: what is wrong with a stack, and what mends it.

use std::io::Write;
use std::process::ExitCode;

use warrior_api::config::DoctorArgs;
use warrior_api::ops::doctor;

/// The exit status when the database cannot be reached.
const UNREACHABLE: u8 = 2;
/// The exit status when there are findings.
const FINDINGS: u8 = 3;
/// The exit status when nothing was found, and something essential could not be looked at.
const UNSEEN: u8 = 4;

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let report = doctor::examine(args)?;
    let mut out = std::io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        false => writeln!(out, "{report}")?,
    }
    Ok(if !report.reached {
        ExitCode::from(UNREACHABLE)
    } else if !report.findings.is_empty() {
        ExitCode::from(FINDINGS)
    } else if !report.healthy {
        ExitCode::from(UNSEEN)
    } else {
        ExitCode::SUCCESS
    })
}
