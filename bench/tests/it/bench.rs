//! The bench for real, with nothing to believe: one round of one second on a small table.

use std::process::Command;

use serde_json::Value;

use crate::program::PROGRAM;

fn bench(parts: &str, more: &[&str]) -> (Value, String) {
    let out = std::env::temp_dir().join(format!("warrior-bench-test-{}", uuid::Uuid::new_v4()));
    let output = Command::new(PROGRAM)
        .args(["bench", "--quick", "--connections", "1,8", "--only", parts])
        // The server and the peers are those beside this program, wherever it runs.
        .current_dir(std::env::temp_dir())
        .args(more)
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
    let read = |extension: &str| {
        let mut files = std::fs::read_dir(&out).expect("ours").flatten();
        let file = files.find(|file| file.path().extension().is_some_and(|end| end == extension));
        let file = file.expect(extension);
        let name = file.file_name().into_string().expect("ASCII");
        assert!(name.starts_with(&parts.replace(',', "-")), "{name}");
        std::fs::read_to_string(file.path()).expect(extension)
    };
    let found = serde_json::from_str(&read("json")).expect("JSON");
    assert!(read("svg").starts_with("<svg"), "no picture");
    let page = read("md");
    std::fs::remove_dir_all(&out).expect("ours");
    (found, page)
}

#[test]
fn throughput_stands_beside_its_references() {
    let (found, page) = bench("create,find,count", &[]);
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

#[test]
fn peers_and_classes_stand_beside_the_server() {
    let (found, page) = bench("classes,peers", &["--tables", "real-names"]);
    let compared: Vec<String> = found["peers"]
        .as_array()
        .expect("peers")
        .iter()
        .map(|peer| {
            assert!(
                peer["rate"]["measured"]["median"].as_f64() > Some(0.0),
                "{peer}"
            );
            format!("{}: {}", peer["work"], peer["peer"]).replace('"', "")
        })
        .collect();
    for expected in [
        "create: axum + deadpool, 8 connections",
        "create: axum + batches on tasks, 8 connections",
        "create: pgbench PostgREST's statement, PgBouncer",
        "find: axum + deadpool, 8 connections",
        "find: pgbench PostgREST's statement, PgBouncer",
        "count: axum + batches on tasks, 8 connections",
        "search: axum + deadpool, 8 connections",
        "search: pgbench PostgREST's statement, PgBouncer",
    ] {
        assert!(compared.iter().any(|peer| peer == expected), "{compared:?}");
        assert!(page.contains(&format!("| {expected} ")), "{page}");
    }
    assert!(
        compared.iter().any(|peer| peer.contains("guide's SQL")),
        "{compared:?}"
    );
    for series in found["series"].as_array().expect("series") {
        let sample = &series["samples"][0];
        assert_eq!(sample["failed"], 0, "{series}");
        let by_http = !series["executor"].to_string().contains("pgbench");
        assert!(
            !by_http || sample["cpu_us"]["server"].as_f64() > Some(0.0),
            "{series}"
        );
    }
    let classes = found["searches"][0]["classes"].as_array().expect("classes");
    let names: Vec<&str> = classes
        .iter()
        .filter_map(|class| class["name"].as_str())
        .collect();
    assert!(names.contains(&"family name, rare"), "{names:?}");
    for class in classes {
        let (hits, terms) = (&class["hits"], class["terms"].as_u64());
        let told_apart = ["few", "some", "fifty"].map(|of| hits[of].as_u64().unwrap_or_default());
        assert_eq!(Some(told_apart.iter().sum()), terms, "{class}");
        assert_eq!(
            class["checked"]["different"],
            Value::Array(Vec::new()),
            "{class}"
        );
        assert!(
            class["one_by_one"]["samples"][0]["rate"].as_f64() > Some(0.0),
            "{class}"
        );
    }
    // Each of both limits has classes to hold it, since a family name is frequent and random letters find nothing.
    let goals = found["class_goals"].as_array().expect("goals");
    for limit in ["few", "fifty", "postgres", "one_by_one"] {
        assert!(
            goals.iter().any(|goals| goals[limit]["met"].is_boolean()),
            "{limit}: {goals:?}"
        );
    }
}
