//! `demo-lost` where the other tool is missing; with it, the demonstration is `make demo-lost`.

use std::process::Command;

use crate::scratch::{PROGRAM, Scratch, server};

#[test]
fn a_demonstration_without_the_other_tool_says_what_installs_it() {
    let scratch = Scratch::new();
    let output = Command::new(PROGRAM)
        .args(["demo-lost", "--server"])
        .arg(server())
        .current_dir(&scratch.0)
        // Where nothing is installed.
        .env("PATH", &scratch.0)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("scripts/install hey"), "{text}");
}
