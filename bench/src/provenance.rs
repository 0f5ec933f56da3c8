//! Where a figure comes from: the command that gives it again, and the commit.

use std::process::Command;

/// The command line, with the program's name alone: its place says nothing.
pub(crate) fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("warrior-bench {}", arguments.join(" "))
}

/// The commit, and whether the work tree differs from it.
pub(crate) fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
