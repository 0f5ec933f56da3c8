//! The bench for real, with nothing to believe: one round of one second on a small table.

use std::process::Command;

use serde_json::Value;

use crate::program::{PROGRAM, server};

fn bench(parts: &str) -> (Value, String) {
    let out = std::env::temp_dir().join(format!("warrior-bench-test-{}", uuid::Uuid::new_v4()));
    let output = Command::new(PROGRAM)
        .args(["bench", "--quick", "--connections", "1,8", "--only", parts])
        .arg("--server")
        .arg(server())
        .arg("--out")
        .arg(&out)
        .output()
        .expect("the program runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    let name = format!("{}-10000-rows", parts.replace(',', "-"));
    let read = |extension: &str| {
        std::fs::read_to_string(out.join(format!("{name}.{extension}"))).expect(extension)
    };
    let found = serde_json::from_str(&read("json")).expect("JSON");
    assert!(read("svg").starts_with("<svg"), "no picture");
    let page = read("md");
    std::fs::remove_dir_all(&out).expect("ours");
    (found, page)
}

#[test]
fn throughput_stands_beside_its_references() {
    let (found, page) = bench("create,find,count");
    let series = found["series"].as_array().expect("series");
    let names: Vec<String> = series
        .iter()
        .map(|series| format!("{}: {}", series["work"], series["executor"]).replace('"', ""))
        .collect();
    for expected in [
        "create: server, 8 connections",
        "create: server, 8 connections, empty table",
        "create: pgbench batches of 50, direct",
        "create: pgbench batches of 50, PgBouncer",
        "create: pgbench batches of 50, direct, bare table",
        "find: hello, 8 connections",
        "find: pgbench one by one, PgBouncer, 1 client",
        "count: server, 1 connections",
    ] {
        assert!(names.iter().any(|name| name == expected), "{names:?}");
    }
    for (series, name) in series.iter().zip(&names) {
        let sample = &series["samples"][0];
        assert!(sample["rate"].as_f64() > Some(0.0), "{name}: {sample}");
        assert_eq!(sample["failed"], 0, "{name}: {sample}");
        let of_server = sample["cpu_us"]["server"].as_f64();
        let by_http = !name.contains("pgbench");
        assert!(!by_http || of_server > Some(0.0), "{name}: {sample}");
    }
    let goals = found["goals"].as_array().expect("goals");
    assert!(
        goals.iter().any(|goal| goal["met"].is_boolean()),
        "{goals:?}"
    );
    assert!(
        page.contains("| find by id / bare hello, 8 connections"),
        "{page}"
    );
}
