//! `fuzz` for a few seconds; half an hour of it is for `warrior-load fuzz --for 30m`.

use std::process::Command;

use crate::scratch::{PROGRAM, interrupt_at, server};

#[test]
fn some_thousand_cases_are_answered_and_harm_nothing() {
    let output = Command::new(PROGRAM)
        .args([
            "fuzz", "--seed", "1", "--cases", "3000", "--for", "10m", "--server",
        ])
        .arg(server())
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("seed 1: 3000 cases; answers "), "{text}");
    for status in [
        "200: ", "201: ", "400: ", "404: ", "405: ", "422: ", "431: ", "501: ",
    ] {
        assert!(text.contains(status), "{status} in {text}");
    }
}

#[test]
fn an_interrupted_run_is_6() {
    let mut command = Command::new(PROGRAM);
    command
        .args(["fuzz", "--for", "10m", "--server"])
        .arg(server());
    let (code, text) = interrupt_at(&mut command, |line| line.contains("sending to"));
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("INVALID: interrupted"), "{text}");
}
