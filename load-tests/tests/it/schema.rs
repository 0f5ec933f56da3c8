//! The committed schema is the one that the program prints.

use std::process::Command;

#[test]
fn the_committed_schema_is_current() {
    let printed = Command::new(env!("CARGO_BIN_EXE_warrior-load"))
        .arg("schema")
        .output();
    let printed = String::from_utf8(printed.expect("the program runs").stdout).expect("text");
    assert!(
        printed == include_str!("../../schema/result.schema.json"),
        "write it again: warrior-load schema > load-tests/schema/result.schema.json"
    );
}
