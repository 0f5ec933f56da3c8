//! `stress` on a throw-away stack: what the server said of itself, and a run that was only too slow.

use crate::scratch::{Scratch, server};

const SLOW: &str = "name = 'slow'\nthresholds = ['success == 100%', 'p50 < 1us', 'lost == 0']\n\
                    [[scenario]]\nname = 'create'\nrequest = 'create-valid'\n\
                    arrivals = [{ rate = 100, for = '3s' }]\n";

#[test]
fn a_run_that_was_only_too_slow_says_so_and_shows_what_the_server_said() {
    let scratch = Scratch::new();
    let (server, profile) = (server().display().to_string(), scratch.profile(SLOW));
    let (code, text) = scratch.load(&[
        "stress",
        "--server",
        &server,
        "--profile",
        &profile,
        "--speed",
        "1.5",
    ]);
    assert_eq!(code, 3, "{text}");
    let again = format!("stress --profile {profile} --speed 1.5");
    for part in [
        "only speed was missed: all 200 answers were as prescribed, and lost 0 of 200",
        "warrior-load calibrate",
        &again,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let result = std::fs::read_to_string(scratch.file("json")).expect("a result");
    let result: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    let seconds = result["series"].as_array().expect("seconds").len();
    let metric = |name: &str| {
        let server = result["server"].as_array().expect("metrics");
        let found = server.iter().find(|metric| metric["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {server:?}"))["values"].clone()
    };
    let size = metric("db_client_connection_max");
    let refused = metric("warrior_refused_total{lane=\"create\",reason=\"queue_full\"}");
    for values in [&size, &refused] {
        let values = values.as_array().expect("a value a second");
        assert_eq!(values.len(), seconds);
        assert!(
            values.iter().any(serde_json::Value::is_number),
            "{values:?}"
        );
    }
    let page = std::fs::read_to_string(scratch.file("html")).expect("a page");
    for part in [
        "<title>slow, times divided by 1.5",
        "What the server said of itself",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}
