//! The migration guide end to end, by a script that people can run, too.

use std::process::Command;

use crate::supervisor::WARRIOR_API;

#[test]
fn the_guides_road_goes_word_for_word() {
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guide-road"))
        .arg("--free-ports")
        .env("WARRIOR_API", WARRIOR_API)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("all the way"), "{said}");
}
