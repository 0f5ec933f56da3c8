//! Whatever a client may send is read back as it was sent.

use serde_json::json;
use uuid::Uuid;

use crate::stores::{Stored, on_every_store};

on_every_store!(
    a_created_warrior_is_read_back_byte_for_byte,
    the_limits_themselves_are_stored,
);

fn a_created_warrior_is_read_back_byte_for_byte(store: &Stored) {
    let server = store.server();
    let awkward = awkward_texts();
    for (i, text) in awkward.iter().enumerate() {
        // Every text also stands among other skills, in both orders.
        let skills = [text, &awkward[(i + 1) % awkward.len()], "a", text];
        let fields = format!(
            r#""name":{},"dob":"2000-02-29","fight_skills":{}"#,
            json!(text),
            json!(skills)
        );
        let created = server.post_bytes(&[], format!("{{{fields}}}").as_bytes());
        let location = created.location().to_owned();
        let id = location.strip_prefix("/warrior/").unwrap();
        assert_eq!(Uuid::parse_str(id).unwrap().to_string(), id);
        assert_eq!(created.text(), format!(r#"{{"id":"{id}",{fields}}}"#));
        assert_eq!(created.header("content-type"), Some("application/json"));

        let found = server.get(&location);
        assert_eq!(found.status, 200);
        let created_at = &found.json(200)["created_at"];
        assert_is_rfc3339(created_at.as_str().unwrap());
        let expected = format!(r#"{{"id":"{id}",{fields},"created_at":{created_at}}}"#);
        assert_eq!(found.text(), expected);
        let upper = server.get(&format!("/warrior/{}", id.to_uppercase()));
        assert_eq!(upper.text(), expected);
    }
    assert_eq!(server.count(), awkward.len() as i64);
}

fn the_limits_themselves_are_stored(store: &Stored) {
    let server = store.server();
    for dob in ["0001-01-01", "1582-10-10", "2000-02-29", "9999-12-31"] {
        let warrior = json!({
            "name": "\u{1F409}".repeat(100),
            "dob": dob,
            "fight_skills": vec!["\u{10FFFF}".repeat(250); 20],
        });
        let created = server.post(&warrior);
        let found = server.get(created.location()).json(200);
        for field in ["name", "dob", "fight_skills"] {
            assert_eq!(found[field], warrior[field], "{dob}");
        }
    }
}

/// Texts that array literals, JSON, SQL or Unicode would trip over.
fn awkward_texts() -> Vec<String> {
    let texts = [
        "O'Brien",
        r#"say "hi""#,
        r"back\slash\\",
        r#"\""#,
        "{curly}",
        "{",
        "}",
        "NULL",
        "null",
        "a,b",
        ",",
        " ",
        "   ",
        " padded ",
        "line\nbreak\r\n",
        "\ttab",
        "\u{1}\u{1f}\u{7f}\u{80}",
        "مرحبا بالعالم",
        "\u{202e}turned",
        "e\u{301}",
        "\u{e9}",
        "z\u{351}\u{36b}\u{343}algo",
        "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
        "\u{feff}bom",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "$1 %s ${x} %00",
        "<b>&amp;</b>",
        "'; drop table warrior; --",
        "\\N",
        "\\.",
    ];
    texts.map(str::to_owned).to_vec()
}

fn assert_is_rfc3339(text: &str) {
    let (seconds, rest) = text.split_at(19);
    let pattern: String = seconds
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(pattern, "0000-00-00T00:00:00", "{text}");
    let fraction = rest.strip_suffix('Z').expect("UTC");
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{text}");
}
