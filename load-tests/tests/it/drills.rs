//! `drill`: two fast ones on a real stack, judged by what was promised and not by how soon; and wrong use.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::scratch::{PROGRAM, Scratch, interrupt_at, server};

/// The least that a drill of this many requests must have had acknowledged to say anything.
const ACKNOWLEDGED_LEAST: u64 = 20;

fn drill(scratch: &Scratch, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(PROGRAM)
        .arg("drill")
        .args(arguments)
        .current_dir(&scratch.0)
        .output()
        .expect("the program runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().expect("it ended by itself"), text)
}

fn table(scratch: &Scratch) -> Value {
    let table = fs::read_to_string(scratch.0.join("drills.json")).expect("figures");
    serde_json::from_str(&table).expect("JSON")
}

#[test]
fn a_pooler_and_a_server_that_are_killed_break_no_promise() {
    let scratch = Scratch::new();
    let server = server().display().to_string();
    let flags = [
        "--quick", "--rate", "50", "--only", "B2,D1", "--out", ".", "--server",
    ];
    let (code, text) = drill(&scratch, &[&flags[..], &[&server]].concat());
    // 3: later than promised, which a machine that does other things, too, may be.
    assert!(matches!(code, 0 | 3), "{code}: {text}");
    let table = table(&scratch);
    let control = &table["control"];
    assert!(
        control["lost"].as_u64() > Some(0),
        "the check is blind: {control}"
    );
    let rows = table["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{text}");
    for row in rows {
        let figure = |name: &str| row["figures"][name].as_u64().expect(name);
        assert!(figure("acknowledged") >= ACKNOWLEDGED_LEAST, "{row}");
        assert!(figure("kills") > 0, "{row}");
        assert_eq!(figure("lost"), 0, "{row}");
        assert_eq!(row["not_done"], Value::Null, "{row}");
        let breaches = row["breaches"].as_array().expect("breaches");
        let promises = ["I1", "I2", "I3", "I4", "I5"].map(Value::from);
        let broken = breaches
            .iter()
            .find(|breach| promises.contains(&breach["invariant"]));
        assert_eq!(broken, None, "{row}");
    }
    let page = fs::read_to_string(scratch.0.join("README.md")).expect("a page");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "| B2 | kill -9 of PgBouncer |",
        "| D1 | kill -9 of the server |",
        "2 drills",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn an_interrupted_campaign_is_6_and_says_what_it_left_out() {
    let scratch = Scratch::new();
    let mut command = Command::new(PROGRAM);
    command
        .args(["drill", "--quick", "--rate", "50", "--only", "B2-term,D1"])
        .args(["--out", ".", "--server"])
        .arg(server())
        .current_dir(&scratch.0);
    let (code, text) = interrupt_at(&mut command, |line| line.starts_with("B2-term "));
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("interrupted; left out: D1"), "{text}");
    let table = table(&scratch);
    assert_eq!(table["left_out"], serde_json::json!(["D1"]), "{text}");
    let page = fs::read_to_string(scratch.0.join("README.md")).expect("a page");
    assert!(page.starts_with("# Drills: INVALID"), "{page}");
}

#[test]
fn wrong_use_is_1_and_named() {
    let scratch = Scratch::new();
    for (arguments, words) in [
        (vec!["--only", "B2,Z9"], "no drill Z9"),
        (vec!["--only", "B2", "--without", "A1"], "--without"),
        (vec!["--project", "p"], "--compose"),
        (vec!["--compose", "--only", "B2"], "--only"),
        (vec!["--list", "--quick"], "--list"),
        (vec!["--rate", "0"], "--rate 0"),
        (
            vec!["--haproxy", "/nowhere", "--only", "D1-balanced"],
            "--without D1-balanced",
        ),
    ] {
        let (code, text) = drill(&scratch, &arguments);
        assert_eq!(code, 1, "{arguments:?}: {text}");
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn compose_without_an_engine_says_so() {
    let scratch = Scratch::new();
    let output = Command::new(PROGRAM)
        .args(["drill", "--compose"])
        .current_dir(&scratch.0)
        // Where nothing is installed.
        .env("PATH", &scratch.0)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no Docker engine answers"), "{text}");
}
