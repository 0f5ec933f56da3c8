//! The page of a sweep, from the results of real runs.

use std::fs;

use serde_json::Value;

use crate::contract::{Contract, Faults};
use crate::scratch::{CREATES, Scratch};

/// A closed and an open run, and a sweep of two points made of them, `rounds` times each.
fn sweep(rounds: u32) -> (Scratch, String) {
    let (scratch, server) = (Scratch::new(), Contract::start(Faults::default()));
    let profile = scratch.profile(CREATES);
    let mut names = Vec::new();
    for flags in [&["--connections", "2"][..], &[]] {
        let run = ["run", "--url", &server.url(), "--profile", &profile];
        let (code, text) = scratch.load(&[&run, flags].concat());
        assert_eq!(code, 0, "{text}");
        let path = scratch.file("json");
        let name = format!("run-{}.result", names.len());
        fs::rename(path, scratch.0.join(&name)).expect("renamed");
        names.push(name);
    }
    let mut lines = String::new();
    for round in 1..=rounds {
        for pool in ["null", "4"] {
            lines += &format!(
                "{{\"visit\":{{\"round\":{round},\"servers\":2,\"pool\":{pool},\"connections\":10,\
                 \"closed\":\"{}\",\"open\":\"{}\"}}}}\n",
                names[0], names[1]
            );
        }
    }
    fs::write(scratch.0.join("visits.jsonl"), lines).expect("written");
    fs::write(scratch.0.join("setup.txt"), "limits: <1 CPU>\n").expect("written");
    let folder = scratch.0.display().to_string();
    (scratch, folder)
}

#[test]
fn a_sweep_becomes_a_page_with_its_answer() {
    let (scratch, folder) = sweep(2);
    let visits = scratch.0.join("visits.jsonl");
    let room = "{\"no_room\":{\"servers\":60,\"needs\":300,\"room\":190}}\n";
    let text = fs::read_to_string(&visits).expect("visits") + room;
    fs::write(&visits, text).expect("written");
    let (code, text) = scratch.load(&["sweep-page", &folder]);
    assert_eq!(code, 0, "{text}");
    // Both points are the same two runs.
    let answer = "With up to 10 connections PgBouncer made no difference here that was shown";
    assert!(text.contains(answer), "{text}");
    let read = |name: &str| fs::read_to_string(scratch.0.join(name)).expect(name);
    for name in ["sweep.md", "sweep.html"] {
        let page = read(name);
        for part in [
            answer,
            "with a pool of 4",
            "without PgBouncer",
            "room for 190",
        ] {
            assert!(page.contains(part), "{part} in {name}");
        }
    }
    assert!(read("sweep.html").contains("&lt;1 CPU&gt;"));
    assert!(read("sweep.svg").trim_end().ends_with("</svg>"));
    let (code, text) = scratch.load(&["sweep-page", &folder, "--json"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\"answer\": \"no-difference\""), "{text}");
    assert!(read("sweep.md").contains("Every acknowledged write was read back"));
    // One write of the open run was not: it is in all four visits.
    let mut run: Value = serde_json::from_str(&read("run-1.result")).expect("JSON");
    let present = &mut run["verification"][0]["present"];
    *present = (present.as_u64().expect("a count") - 1).into();
    fs::write(scratch.0.join("run-1.result"), run.to_string()).expect("written");
    let (code, text) = scratch.load(&["sweep-page", &folder]);
    assert_eq!(code, 6, "{text}");
    assert!(read("sweep.md").contains("4 acknowledged writes could not be read back"));
    run["verification"][0]["lost"] = 1.into();
    fs::write(scratch.0.join("run-1.result"), run.to_string()).expect("written");
    let (code, text) = scratch.load(&["sweep-page", &folder]);
    assert_eq!(code, 5, "{text}");
    assert!(
        text.contains("a promise was broken: the open run lost 1"),
        "{text}"
    );
    // So it is where a line before is damaged.
    let text = fs::read_to_string(&visits).expect("visits");
    fs::write(&visits, format!("{{}}\n{text}")).expect("written");
    let (code, text) = scratch.load(&["sweep-page", &folder]);
    assert_eq!(code, 5, "{text}");
}

#[test]
fn a_visit_that_was_never_verified_is_named_on_a_page_with_all_others() {
    let (scratch, folder) = sweep(2);
    let path = |name: &str| scratch.0.join(name);
    let read = |name: &str| fs::read_to_string(path(name)).expect(name);
    let mut run: Value = serde_json::from_str(&read("run-1.result")).expect("JSON");
    run["verification"] = Value::Array(Vec::new());
    fs::write(path("unverified.result"), run.to_string()).expect("written");
    let visits = read("visits.jsonl");
    let last = visits
        .rfind("run-1")
        .expect("the open run of the last visit");
    let visits = visits[..last].to_owned() + &visits[last..].replace("run-1", "unverified");
    fs::write(path("visits.jsonl"), visits).expect("written");
    let (code, text) = scratch.load(&["sweep-page", &folder]);
    assert_eq!(code, 6, "{text}");
    let which = "INVALID: round 2, 2 servers with a pool of 4, the open run: it was never verified";
    assert!(text.contains(which) && text.contains("report: "), "{text}");
    let page = read("sweep.md");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "**INVALID**: round 2, 2 servers with a pool of 4, the open run",
        "PgBouncer made no difference here that was shown",
        "| 2 | without PgBouncer | 10 |",
        "Of the writes that were read back from PostgreSQL none was lost",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(read("sweep.html").contains(which));
}

#[test]
fn a_sweep_that_says_nothing_is_1_and_says_why() {
    let (scratch, folder) = sweep(1);
    let refused = |words: &str| {
        let (code, text) = scratch.load(&["sweep-page", &folder]);
        assert!(code == 1 && text.contains(words), "{code}: {text}");
    };
    refused("less than two whole rounds");
    let visits = scratch.0.join("visits.jsonl");
    let text = fs::read_to_string(&visits).expect("visits");
    fs::write(&visits, text.replace("\"servers\":2,", "")).expect("written");
    refused("line 1");
    fs::write(&visits, text.replace("run-1", "run-0")).expect("written");
    refused("no runs of the closed and of the open model");
    fs::remove_file(&visits).expect("removed");
    refused("scripts/compose-sweep");
}
