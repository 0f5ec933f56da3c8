//! `capacity` against servers whose capacity is known, whose promises are broken, or that hold nothing.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contract::{Contract, Faults};
use crate::delay::{Behaviour, DelayServer, delay_server};
use crate::scratch::Scratch;

const GET: &str = "name='get'\n[[scenario]]\nname='get'\npath='/'\narrivals=[{rate=50,for='1s'}]\n";

/// One request after the other, each for so long: a queue whose capacity is one over that.
fn serial(service: Duration) -> DelayServer {
    let free_at = Mutex::new(Instant::now());
    delay_server(Behaviour {
        delay: Box::new(move |_| {
            let mut free_at = free_at.lock().expect("no panic holds it");
            let now = Instant::now();
            *free_at = (*free_at).max(now) + service;
            *free_at - now
        }),
        ..Behaviour::fixed(Duration::ZERO)
    })
}

fn capacity(scratch: &Scratch, url: &str, profile: &str, slo: &str) -> (i32, String) {
    let profile = scratch.profile(profile);
    let steps = ["--step", "1s", "--budget", "40s", "--repeats", "1"];
    let what = [
        "capacity",
        "--url",
        url,
        "--profile",
        &profile,
        "--slo",
        slo,
    ];
    scratch.load(&[&what[..], &steps[..]].concat())
}

fn result(scratch: &Scratch) -> Value {
    let text = std::fs::read_to_string(scratch.file("json")).expect("a result");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_capacity_of_a_queue_is_not_beyond_its_service_time() {
    let (scratch, server) = (Scratch::new(), serial(Duration::from_millis(5)));
    let slo = "p99 < 500ms, success >= 99%";
    let (code, text) = capacity(&scratch, &server.url(), GET, slo);
    assert_eq!(code, 0, "{text}");
    scratch.assert_whole();
    let result = result(&scratch);
    // 200 a second, and what two seconds of a longer queue allow for.
    let rate = result["finding"]["rate"].as_f64().expect("a rate");
    assert!((1.0..=300.0).contains(&rate), "{text}");
    assert!(
        result["finding"]["high"]
            .as_f64()
            .is_none_or(|high| high > rate)
    );
    let broke = result["finding"]["broke"].as_array().expect("a list");
    assert!(!broke.is_empty(), "{result}");
    let trials = result["trials"].as_array().expect("trials");
    assert!(trials.len() >= 4 && text.contains("left)"), "{text}");
    assert!(text.contains("hold p99 < 500ms"), "{text}");
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    for part in ["Against the rate", "capacity", "broke first above it"] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn a_server_that_holds_at_no_rate_is_3() {
    let server = delay_server(Behaviour::fixed(Duration::from_millis(300)));
    let scratch = Scratch::new();
    let (code, text) = capacity(&scratch, &server.url(), GET, "p50 < 100ms");
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("no rate that was tried holds"), "{text}");
}

#[test]
fn a_lost_write_is_5_at_whatever_rate_and_a_late_one_is_not_lost() {
    let forgets = Faults {
        forget_every: Some(10),
        ..Faults::default()
    };
    let commits_late = Faults {
        commit_late_every: Some(10),
        ..Faults::default()
    };
    let creates = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=20,for='1s'}]\n";
    for (faults, is_lost, words) in [
        (forgets, true, "PROMISE BROKEN"),
        (commits_late, false, "lost 0 of "),
    ] {
        let (scratch, server) = (Scratch::new(), Contract::start(faults));
        // A limit that the first doubling of what 64 connections got misses: the search ends soon.
        let (code, text) = capacity(&scratch, &server.url(), creates, "p99 < 2ms");
        assert_eq!(code == 5, is_lost, "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn what_was_sent_before_an_error_is_verified() {
    // Every create is refused and stored nevertheless: nothing works, and a promise is broken.
    for (faults, exit, verdict) in [
        (
            Faults {
                refuse_stored_every: Some(1),
                ..Faults::default()
            },
            5,
            "stored nevertheless",
        ),
        (
            Faults {
                refuse_first: u64::MAX,
                ..Faults::default()
            },
            3,
            "lost 0 of 0 acknowledged",
        ),
    ] {
        let (scratch, server) = (Scratch::new(), Contract::start(faults));
        let creates = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=20,for='1s'}]\n";
        let (code, text) = capacity(&scratch, &server.url(), creates, "p99 < 1s");
        assert_eq!(code, exit, "{text}");
        assert!(text.contains("nothing worked"), "{text}");
        let page = std::fs::read_to_string(scratch.file("md")).expect("a report");
        assert!(page.contains(verdict), "{page}");
    }
}

#[test]
fn threads_that_cannot_start_end_the_search_with_its_ledger_verified() {
    let (scratch, server) = (Scratch::new(), Contract::start(Faults::default()));
    let creates = "name='c'\n[[scenario]]\nname='create'\nrequest='create-valid'\narrivals=[{rate=20,for='1s'}]\n";
    let profile = scratch.profile(creates);
    let url = server.url();
    // Each thread keeps an event loop, a timer and a connection of the closed probe: three descriptors at least.
    let arguments = ["capacity", "--url", &url, "--profile", &profile];
    let (code, text) =
        scratch.load_with_descriptors(64, &[&arguments[..], &["--threads", "64"]].concat());
    assert_eq!(code, 6, "{text}");
    assert!(text.contains("INVALID: cannot "), "{text}");
    assert!(!text.contains("interrupted"), "{text}");
    assert!(text.contains(" acknowledged (by http"), "{text}");
}

#[test]
fn wrong_use_names_what_is_wrong() {
    let url = "http://127.0.0.1:1";
    for (arguments, word) in [
        (
            vec!["capacity", "--url", url, "--slo", "p99 < 50"],
            "duration",
        ),
        (
            vec!["capacity", "--url", url, "--slo", "rate > 5"],
            "rate is what",
        ),
        (
            vec!["capacity", "--url", url, "--slo", "creat.p99 < 1s"],
            "creat",
        ),
        (
            vec!["capacity", "--url", url, "--budget", "10s"],
            "--budget 10s is too short",
        ),
        (vec!["capacity", "--admin", url], "--url"),
        (
            vec!["capacity", "--postgres", "host=x"],
            "--postgres has no effect",
        ),
        (
            vec!["capacity", "--url", url, "--insecure"],
            "--insecure have no effect",
        ),
        (
            vec!["capacity", "--url", url, "--connections", "2"],
            "--connections",
        ),
    ] {
        let (code, text) = Scratch::new().load(&arguments);
        assert_eq!(code, 1, "{arguments:?}: {text}");
        assert!(text.contains(word), "{word} in {text}");
    }
    let (code, text) = Scratch::new().load(&["capacity", "--url", url]);
    assert_eq!(code, 2, "{text}");
}
