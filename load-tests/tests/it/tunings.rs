//! `tune` on a throw-away stack and on a named one, and what it leaves behind.

mod applied;
mod usage;

use std::path::Path;

use serde_json::Value;

use crate::contract::{Contract, Faults};
use crate::scratch::{Scratch, server};

const CREATES: &str = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=30,for='1s'}]\n\
                       [[scenario]]\nname='find'\nrequest='find'\narrivals=[{rate=30,for='1s'}]\n";

const CREATES_ALONE: &str = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=30,for='1s'}]\n";

fn result(scratch: &Scratch) -> Value {
    let text = std::fs::read_to_string(scratch.file("json")).expect("a result");
    serde_json::from_str(&text).expect("JSON")
}

/// `tune` of a stack of one's own.
fn tune_named(
    scratch: &Scratch,
    url: &str,
    command: &str,
    env: &Path,
    profile: &str,
    search: &[&str],
) -> (i32, String) {
    let (env, profile) = (env.display().to_string(), scratch.profile(profile));
    let stack = ["tune", "--url", url, "--apply-command", command];
    let files = ["--env", &env, "--profile", &profile];
    scratch.load(&[&stack[..], &files, search].concat())
}

#[test]
fn a_throw_away_stack_is_tuned_and_loses_nothing() {
    let scratch = Scratch::new();
    let (server, profile) = (server().display().to_string(), scratch.profile(CREATES));
    let env = scratch.0.join("none.env").display().to_string();
    let arguments = [
        "tune",
        "--server",
        &server,
        "--profile",
        &profile,
        "--env",
        &env,
        "--rate",
        "100",
        "--step",
        "200ms",
        "--budget",
        "20s",
    ];
    let (code, text) = scratch.load(&arguments);
    // How far a search comes in so little time, and whether the machine is busy, is not the point.
    assert!([0, 6].contains(&code), "{text}");
    let result = result(&scratch);
    assert_eq!(result["verification"]["lost"], 0, "{text}");
    assert!(
        result["verification"]["acknowledged"].as_u64() > Some(0),
        "{text}"
    );
    assert_eq!(result["verification"]["way"], "postgres");
    let samples = result["samples"].as_array().expect("samples");
    assert!(samples.len() > 3, "{text}");
    // Others than the first were tried, and the server counted what was sent to it.
    assert!(
        samples
            .iter()
            .any(|sample| sample["sizes"] != result["current"])
    );
    let lanes = samples[0]["trial"]["telemetry"]["lanes"]
        .as_array()
        .expect("lanes");
    let create = lanes
        .iter()
        .find(|lane| lane["lane"] == "create")
        .expect("creates");
    assert!(
        create["rate"].as_f64() > Some(0.0) && create["busy"].as_f64() > Some(0.0),
        "{create}"
    );
    assert!(!Path::new(&env).exists(), "it was not told to write");
    if code == 0 && result["current"] == result["chosen"] {
        assert_eq!(result["diff"], "", "{text}");
        assert!(text.contains("leave it"), "{text}");
    }
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    assert!(page.contains("What the usual formulas would say"), "{page}");
}

#[test]
fn a_named_stack_gets_its_files_back() {
    let (scratch, stack) = (Scratch::new(), Contract::start(Faults::default()));
    let folder = Scratch::new();
    let env = folder.0.join(".env");
    let held = "# sizes\r\nWORKERS_CREATE = 4\r\nSECRET='x'";
    std::fs::write(&env, held).expect("written");
    // Each configuration that counts is kept.
    let command = format!(
        "cat '{}' >> '{1}/seen'; echo >> '{1}/seen'",
        env.display(),
        folder.0.display()
    );
    let tune = |scratch: &Scratch, command: &str| {
        let search = ["--rate", "60", "--step", "100ms", "--budget", "9s"];
        tune_named(scratch, &stack.url(), command, &env, CREATES, &search)
    };
    let (code, text) = tune(&scratch, &command);
    assert!([0, 6].contains(&code), "{text}");
    assert_eq!(
        std::fs::read_to_string(&env).expect("there"),
        held,
        "{text}"
    );
    let seen = std::fs::read_to_string(folder.0.join("seen")).expect("commands ran");
    assert!(
        seen.starts_with(held) && seen.trim_end().ends_with(held),
        "{seen}"
    );
    assert!(seen.contains("WORKERS_CREATE = 8\r\n"), "{seen}");
    assert_eq!(result(&scratch)["current"]["create"], 4);
    let left = std::fs::read_dir(&folder.0).expect("ours").count();
    assert_eq!(left, 2, "no copy of .env is left");
    // A command that fails ends it, and the files are as they were all the same.
    let failing = Scratch::new();
    let (code, text) = tune(&failing, "exit 3");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("--apply-command failed"), "{text}");
    assert_eq!(
        std::fs::read_to_string(&env).expect("there"),
        held,
        "{text}"
    );
}

#[test]
fn what_was_acknowledged_before_an_error_is_verified() {
    let (scratch, stack) = (Scratch::new(), Contract::start(Faults::default()));
    let folder = Scratch::new();
    let env = folder.0.join(".env");
    std::fs::write(&env, "WORKERS_CREATE=4\n").expect("written");
    // The sizes of the beginning count, and one other configuration.
    let runs = folder.0.join("runs").display().to_string();
    let command = format!("echo >> '{runs}'; test $(wc -l < '{runs}') -lt 3");
    let search = ["--rate", "60", "--step", "300ms", "--budget", "60s"];
    let (code, text) = tune_named(&scratch, &stack.url(), &command, &env, CREATES, &search);
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("--apply-command failed"), "{text}");
    let result = result(&scratch);
    assert_eq!(result["verification"]["lost"], 0, "{text}");
    assert!(
        result["verification"]["acknowledged"].as_u64() > Some(0),
        "{text}"
    );
    assert_eq!(result["chosen"], result["current"], "{text}");
    let held = std::fs::read_to_string(&env).expect("there");
    assert_eq!(held, "WORKERS_CREATE=4\n", "{text}");
}

#[test]
fn a_probe_in_which_nothing_works_is_verified() {
    let stack = Contract::start(Faults {
        refuse_stored_every: Some(1),
        ..Faults::default()
    });
    let (scratch, folder) = (Scratch::new(), Scratch::new());
    let (env, search) = (
        folder.0.join(".env"),
        ["--step", "300ms", "--budget", "60s"],
    );
    let (url, profile) = (stack.url(), CREATES_ALONE);
    let (code, text) = tune_named(&scratch, &url, "true", &env, profile, &search);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("nothing worked"), "{text}");
}
