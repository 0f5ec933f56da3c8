//! `settings` for real, with tiny measurements: each way of changing a setting, and the page.

use std::process::{Command, Output};

use crate::program::PROGRAM;

fn settings(arguments: &[&str]) -> Output {
    let rows: &[&str] = match arguments.contains(&"--rows") {
        true => &[],
        false => &["--rows", "1000"],
    };
    Command::new(PROGRAM)
        .args(["settings", "--rounds", "1", "--seconds", "1"])
        // The server is the one beside this program, wherever it runs.
        .current_dir(std::env::temp_dir())
        .args(rows)
        .args(arguments)
        .output()
        .expect("the program runs")
}

#[test]
fn a_reload_a_restart_and_the_console_change_what_is_measured() {
    let output = settings(&[
        "--load",
        "create",
        "--setting",
        "wal_compression=pglz,shared_buffers,pool_mode,default_pool_size=4",
    ]);
    let page = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{page}{said}");
    for expected in [
        "| `wal_compression` | pglz | off | create, 1 s | ",
        "| `shared_buffers` | 128MB | ",
        "| `pool_mode` | session | transaction | create, 1 s | ",
        "| `default_pool_size` | 4 | 50 | create, 1 s | ",
    ] {
        let line = page.lines().find(|line| line.starts_with(expected));
        let cells: Vec<&str> = line.expect(expected).split(" | ").collect();
        // Throughput, p99, CPU, PostgreSQL's and log: each of them was there to be compared.
        for ratio in [4, 5, 6, 7, 9].map(|cell| cells[cell]) {
            let median = ratio
                .split_once(' ')
                .and_then(|(median, _)| median.parse().ok());
            assert!(median > Some(0.0), "{expected}{ratio}");
        }
    }
}

/// With a PgBouncer before 1.21, the run says what it needs.
#[test]
fn statements_are_measured_with_names_and_without_where_the_pooler_keeps_them() {
    // As many rows as fill the 1 MiB of a table whose statements are named.
    let output = settings(&[
        "--rows",
        "20000",
        "--load",
        "find,count",
        "--setting",
        "max_prepared_statements",
    ]);
    let page = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let needs = "does not know it, and keeps no names of statements; 1.21 and newer do";
        assert!(said.contains(needs), "{page}{said}");
        return;
    }
    for load in ["find", "count"] {
        let expected = format!("| `max_prepared_statements` | 0 | 200 | {load}, 1 s | ");
        let line = page.lines().find(|line| line.starts_with(&expected));
        let cells: Vec<&str> = line.expect(&expected).split(" | ").collect();
        let (unnamed, named) = cells[8].split_once(" / ").expect("two figures");
        for micros in [unnamed, named] {
            assert!(
                micros.parse().is_ok_and(|micros: f64| micros > 0.0),
                "{}",
                cells[8]
            );
        }
    }
}

#[test]
fn a_setting_that_nothing_can_be_compared_with_is_refused() {
    for (setting, reason) in [
        ("work_mem", "so give a value to try (work_mem=VALUE)"),
        (
            "no_such=1",
            "neither PostgreSQL nor PgBouncer has a setting no_such",
        ),
        (
            "log_connections=1",
            "ask for postgresql.log_connections or pgbouncer.log_connections",
        ),
        ("pgbouncer.work_mem=1", "PgBouncer has no setting work_mem"),
        ("listen_port=7000", "PgBouncer has to be started again"),
        ("default_pool_size=many", "default_pool_size = many"),
        ("work_mem=4MB", "work_mem is in effect as \"4MB\""),
        // A setting of the role wins.
        ("jit=on", "jit is in effect as \"off\""),
    ] {
        let output = settings(&["--setting", setting]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{said}");
    }
}
