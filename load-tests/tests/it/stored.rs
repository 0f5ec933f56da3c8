//! Stored results that are damaged: each gets a sentence and exit code 1.

use std::time::Duration;

use serde_json::{Value, json};

use crate::delay::{Behaviour, delay_server};
use crate::scratch::Scratch;

type Damage = fn(&mut Value);

#[test]
fn a_damaged_result_gets_a_sentence() {
    let server = delay_server(Behaviour::fixed(Duration::ZERO));
    let scratch = Scratch::new();
    let run = ["run", "--url", &server.url(), "--rate", "20", "--for", "2s"];
    let (code, text) = scratch.load(&run);
    assert_eq!(code, 0, "{text}");
    let path = scratch.file("json");
    let stored = std::fs::read_to_string(&path).expect("a result");
    let name = path.display().to_string();
    let says = |text: &str| {
        std::fs::write(&path, text).expect("written");
        let read = ["report", "reproduce"].map(|command| scratch.load(&[command, &name]));
        for (code, text) in &read {
            assert_eq!(*code, 1, "{text}");
            assert!(text.contains(&name) && !text.contains("panicked"), "{text}");
        }
        read[0].1.clone()
    };
    for (text, words) in [
        ("", "is no result"),
        ("[]", "is no result"),
        (&stored[..stored.len() / 2], "is no result"),
        (r#"{"schema":7}"#, "has schema 7"),
        (r#"{"schema":2}"#, "is damaged, or not of this version"),
    ] {
        let said = says(text);
        assert!(said.contains(words), "{words} in {said}");
    }
    let damages: [(Damage, &str); 6] = [
        (|of| of["run"] = json!("../../elsewhere"), "is no id"),
        (
            |of| of["total"]["succeeded"] = json!(1_000_000),
            "1000000 of 40",
        ),
        (
            |of| of["total"]["latency_hdr"] = json!("AAAA"),
            "no histogram",
        ),
        (
            |of| of["series"][0]["endpoints"] = json!([]),
            "0 of 1 endpoints",
        ),
        (
            |of| of["series"][1]["second"] = json!(u64::MAX),
            "second 18446744073709551615",
        ),
        (
            |of| of["server"] = json!([{"name": "depth", "kind": "gauge", "values": []}]),
            "`depth` has values of 0 of ",
        ),
    ];
    for (damage, words) in damages {
        let mut value: Value = serde_json::from_str(&stored).expect("JSON");
        damage(&mut value);
        let text = says(&value.to_string());
        assert!(
            text.contains("is damaged") && text.contains(words),
            "{words} in {text}"
        );
    }
}
