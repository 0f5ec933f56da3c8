//! Wrong use and an absent target: exit codes 1 and 2.

use std::time::Duration;

use crate::delay::{Behaviour, delay_server};
use crate::scratch::Scratch;

#[test]
fn a_name_with_line_ends_stays_in_its_heading() {
    let (scratch, server) = (
        Scratch::new(),
        delay_server(Behaviour::fixed(Duration::ZERO)),
    );
    let profile = scratch.profile(
        "name=\"two\\r\\n## `lines`\"\nthresholds=[\"p99 < 60s\"]\n[[scenario]]\nname=\"a\\n- b\"\npath='/'\n\
         arrivals=[{rate=20,for='1s'}]\n",
    );
    let url = server.url();
    let (code, text) = scratch.load(&["run", "--url", &url, "--profile", &profile]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("profile two  ## `lines`,"), "{text}");
    let page = std::fs::read_to_string(scratch.file("md")).expect("a report");
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings, ["## PASSED: `two  ## 'lines'` (open model)"]);
    assert!(page.contains("\n| a - b "), "{page}");
}

#[test]
fn wrong_use_is_1_and_names_what_is_wrong() {
    let scratch = Scratch::new();
    let profile = scratch.profile("name='x'\nthresholds=['p99x < 1s']\nscenario=[]");
    for (arguments, word) in [
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--profile", "labb"],
            "labb",
        ),
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--profile", &profile],
            "p99x",
        ),
        (vec!["run", "--url", "http://127.0.0.1:1"], "--rate"),
        (
            vec!["run", "--url", "http://127.0.0.1:1", "--rate", "1e12"],
            "requests",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--speed",
                "1e-300",
            ],
            "--speed",
        ),
        (
            vec!["compare", "--a", "http://127.0.0.1:1", "--decide", "p95"],
            "p95",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--expect",
                "1000",
            ],
            "status 1000",
        ),
        (
            vec!["run", "--url", "ftp://127.0.0.1:1", "--rate", "1"],
            "http:// or https://",
        ),
        (
            vec![
                "run",
                "--url",
                "http://127.0.0.1:1",
                "--rate",
                "1",
                "--body",
                "{{nme}}",
            ],
            "nme",
        ),
    ] {
        let (code, text) = scratch.load(&arguments);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_flag_without_effect_is_1_and_named() {
    let url = "http://127.0.0.1:1";
    let quick = ["run", "--url", url, "--rate", "1"];
    let with = |more: &[&'static str]| [&quick[..], more].concat();
    for (arguments, words) in [
        (with(&["--connections", "2"]), "--connections"),
        (with(&["--postgres-password-file", "x"]), "--postgres <"),
        (with(&["--verify"]), "--verify has no effect"),
        (with(&["--threads", "1000000"]), "--threads 1000000"),
        (with(&["--speed", "inf"]), "--speed inf"),
        (vec!["reproduce", "x.json", "--speed", "2"], "'--speed'"),
        (vec!["compare", "--a", url, "--admin", url], "'--admin'"),
        (vec!["compare", "--a", url, "--least", "nan"], "--least NaN"),
    ] {
        let (code, text) = Scratch::new().load(&arguments);
        assert_eq!(code, 1, "{arguments:?}: {text}");
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn nobody_there_is_2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let (code, text) = Scratch::new().load(&["run", "--url", &url, "--rate", "10"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("is the server running there?"), "{text}");
}
