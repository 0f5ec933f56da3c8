//! The commit that a figure belongs to.

use std::process::Command;

/// The commit of the work tree that the program runs in, and whether the tree differs from it; none outside of one.
pub fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
