//! Two targets, and a stored result, compared: exit codes 3, 4 and 6.

use std::process::Command;
use std::time::Duration;

use warrior_load::commit::commit;
use warrior_load::result::RunResult;

use crate::delay::{Behaviour, DelayServer, delay_server};
use crate::scratch::{PROGRAM, Scratch};

#[test]
fn two_sides_of_which_neither_works_are_not_compared() {
    let refusing = || {
        delay_server(Behaviour {
            status: Box::new(|_| 503),
            ..Behaviour::fixed(Duration::ZERO)
        })
        .url()
    };
    let scratch = Scratch::new();
    let profile = scratch
        .profile("name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n");
    let (a, b) = (refusing(), refusing());
    let arguments = ["compare", "--a", &a, "--b", &b, "--profile", &profile];
    let (code, text) = scratch.load(&[&arguments[..], &["--slice", "200ms"]].concat());
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("503 refused"), "{text}");
    assert!(!text.contains("no difference shown"), "{text}");
    assert!(!text.contains("pair  2"), "it goes on: {text}");
}

#[test]
fn a_slower_b_is_4_and_like_targets_are_0() {
    let quick = delay_server(Behaviour::fixed(Duration::from_millis(2)));
    let slow = delay_server(Behaviour::fixed(Duration::from_millis(200)));
    let scratch = Scratch::new();
    let profile = scratch
        .profile("name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n");
    let compare = |b: &DelayServer| {
        let (a, b) = (quick.url(), b.url());
        let arguments = ["compare", "--a", &a, "--b", &b, "--profile", &profile];
        let more = [
            // So many that one slice on a machine that stood still decides nothing.
            "--slice", "300ms", "--pairs", "8", "--decide", "p50", "--least", "50",
        ];
        scratch.load(&[&arguments[..], &more[..]].concat())
    };
    let (code, text) = compare(&slow);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("Verdict on p50: B is worse"), "{text}");
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    for part in [
        "<h1>B is worse<span>on p50",
        "p50 by pair",
        "95 % interval",
        "200: ",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let failing = delay_server(Behaviour {
        status: Box::new(|_| 500),
        ..Behaviour::fixed(Duration::ZERO)
    });
    let (code, text) = compare(&failing);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("Verdict on success: B is worse"), "{text}");
    let (code, text) = compare(&quick);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("no difference shown"), "{text}");
}

#[test]
fn a_stored_result_is_run_again_with_its_seed() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(5)));
    let (mut first, mut second) = (Scratch::new(), Scratch::new());
    let mut run_again = || {
        (first, second) = (Scratch::new(), Scratch::new());
        let run = ["run", "--url", &server.url(), "--rate", "50", "--for", "4s"];
        let (code, text) = first.load(&run);
        assert_eq!(code, 0, "{text}");
        let result = first.file("json").display().to_string();
        let (code, text) = second.load(&["reproduce", &result]);
        (code, text, result)
    };
    // The tail of a run is also the machine's: one that is busy in one run alone has another p99 there.
    let (mut code, mut text, mut result) = run_again();
    for _ in 0..4 {
        if code != 0 {
            (code, text, result) = run_again();
        }
    }
    assert_eq!(code, 0, "{text}");
    let alike = ["\nREPRODUCED", "NO DIFFERENCE SHOWN"];
    assert!(alike.iter().any(|said| text.contains(said)), "{text}");
    let slow = delay_server(Behaviour::fixed(Duration::from_millis(300)));
    let (code, text) = second.load(&[
        "reproduce",
        &result,
        "--url",
        slow.url().trim_end_matches('/'),
    ]);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("NOT REPRODUCED") && text.contains("differs: target"),
        "{text}"
    );
}

#[test]
fn a_result_and_its_summary_name_the_commit() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(1)));
    let scratch = Scratch::new();
    let (code, text) =
        scratch.load(&["run", "--url", &server.url(), "--rate", "50", "--for", "1s"]);
    assert_eq!(code, 0, "{text}");
    let result = RunResult::read(&scratch.file("json")).expect("a result");
    assert_eq!(result.setup.commit, commit());
    let named = format!("· commit {} ·", commit().as_deref().unwrap_or("-"));
    let summary = std::fs::read_to_string(scratch.file("md")).expect("a summary");
    assert!(summary.contains(&named), "{named}: {summary}");
}

#[test]
fn a_stored_result_is_run_again_with_its_limit_of_lateness() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(1)));
    let (first, second) = (Scratch::new(), Scratch::new());
    let (code, text) = first.load(&["run", "--url", &server.url(), "--rate", "50", "--for", "1s"]);
    assert_eq!(code, 0, "{text}");
    // Without the flag, which Scratch::load gives to every run.
    let again = Command::new(PROGRAM)
        .arg("reproduce")
        .arg(first.file("json"))
        .args(["--no-tui", "--out"])
        .arg(&second.0)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&again.stdout);
    let [stored, new] = [&first, &second].map(|scratch| {
        RunResult::read(&scratch.file("json"))
            .expect("a result")
            .setup
    });
    assert_eq!(stored.lateness_max_us, Some(60_000_000), "{text}");
    assert_eq!(new.lateness_max_us, stored.lateness_max_us, "{text}");
}
