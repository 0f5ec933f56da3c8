//! Validation, example by example and as properties.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn wrong(body: &serde_json::Value) -> Vec<&'static str> {
    match NewWarrior::parse(body.to_string().as_bytes()) {
        Err(Rejection::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
        other => panic!("{body} gave {other:?}"),
    }
}

fn malformed(body: &[u8]) {
    let result = NewWarrior::parse(body);
    assert!(
        matches!(result, Err(Rejection::Malformed(_))),
        "{body:?} gave {result:?}"
    );
}

fn with_dob(dob: &str) -> String {
    json!({"name": "n", "dob": dob, "fight_skills": ["s"]}).to_string()
}

#[test]
fn a_warrior_is_kept_byte_for_byte() {
    let body =
        r#"{"name":"e\u0301 \u202e😀","dob":"2000-02-29","fight_skills":["a,b","{}","a,b"],"x":1}"#;
    let warrior = NewWarrior::parse(body.as_bytes()).unwrap();
    assert_eq!(warrior.name, "e\u{301} \u{202e}😀");
    assert_eq!(warrior.dob, "2000-02-29");
    assert_eq!(warrior.fight_skills, ["a,b", "{}", "a,b"]);
}

#[test]
fn what_is_no_json_object_is_malformed() {
    let bodies: &[&[u8]] = &[
        b"",
        b"null",
        b"[]",
        b"3",
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"{\"name\":\"\xff\"}",
        b"{/**/}",
        b"{\"name\":NaN}",
        br#"{"name":"\ud800"}"#,
        br#"{"unknown":"\ud800"}"#,
        br#"{"name":"a","name":"a"}"#,
        br#"{"x":1,"x":1}"#,
    ];
    bodies.iter().for_each(|body| malformed(body));
    malformed("[".repeat(60_000).as_bytes());
    malformed(format!("{{\"name\":{}", "[".repeat(60_000)).as_bytes());
}

/// Places of a value: under keys that mean something, and under others.
const KNOWN: [&str; 3] = [
    r#"{"name":VALUE}"#,
    r#"{"dob":VALUE,"u":1e400}"#,
    r#"{"fight_skills":[VALUE]}"#,
];
const UNKNOWN: [&str; 4] = [
    r#"{"u":VALUE,REST}"#,
    r#"{REST,"u":VALUE}"#,
    r#"{"u":[0,[VALUE]],REST}"#,
    r#"{REST,"u":{"x":[{"y":VALUE}]}}"#,
];

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[test]
fn what_readers_read_in_two_ways_is_malformed_at_every_depth() {
    let rest = r#""name":"n","dob":"2000-01-01","fight_skills":["s"]"#;
    for value in [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800x""#,
        r#"{"\ud800":1}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"":{},"":[]}"#,
        r#"[1e400,{"a":1,"b":1,"a":1}]"#,
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e400x",
        "-",
        "NaN",
        "Infinity",
        "tru",
        "[1,]",
        r#"{"a"}"#,
        "\"\t\"",
        &nested(127),
    ] {
        for place in KNOWN.iter().chain(&UNKNOWN) {
            let body = place.replace("VALUE", value).replace("REST", rest);
            malformed(body.as_bytes());
        }
    }
    let bytes = [&br#"{"u":[""#[..], b"\xed\xa0\x80", br#""]}"#].concat();
    malformed(&bytes);
}

#[test]
fn what_is_json_is_no_reason_to_refuse_a_warrior() {
    let rest = r#""name":"1e9 \"-2\" \\","dob":"2000-01-01","fight_skills":["3e4000"]"#;
    let plain = NewWarrior::parse(format!("{{{rest}}}").as_bytes()).unwrap();
    let digits = "9".repeat(500);
    for value in [
        "1e400",
        "-1E+400",
        "1e-400",
        "-0",
        "-0.0e-0",
        &digits,
        &format!("-{digits}.{digits}e{digits}"),
        &format!("[{digits},\t-1e999 , 0]"),
        r#""\u0000""#,
        r#""\ud83d\ude00 \\ud800 1e400""#,
        r#"{"a":{"a":1},"b":{"a":1}}"#,
        r#"[{"a":1},{"a":1e400}]"#,
        "null",
    ] {
        for place in UNKNOWN {
            let body = place.replace("VALUE", value).replace("REST", rest);
            assert_eq!(
                NewWarrior::parse(body.as_bytes()),
                Ok(plain.clone()),
                "{body}"
            );
        }
        // Where it means something, it is a wrong field of a whole object.
        let body = format!(r#"{{"name":"n","dob":"2000-01-01","fight_skills":{value}}}"#);
        let result = NewWarrior::parse(body.as_bytes());
        assert!(matches!(result, Err(Rejection::Invalid(_))), "{result:?}");
    }
    // The braces of the body are the first level.
    let deepest = format!(r#"{{"u":{},{rest}}}"#, nested(126));
    assert_eq!(NewWarrior::parse(deepest.as_bytes()), Ok(plain));
}

#[test]
fn what_is_malformed_is_said_with_its_place() {
    let why = |body: &str| match NewWarrior::parse(body.as_bytes()) {
        Err(Rejection::Malformed(why)) => why,
        other => panic!("{body}: {other:?}"),
    };
    assert!(
        why(r#"{"u":1e400,"u":2}"#).contains(r#"the key "u" is given twice at line 1 column 1"#)
    );
    assert!(why(r#"{"u":1e400,"v":"\ud800"}"#).contains("column 2"));
    assert!(why(r#"{"u":1e400,"v":"#).contains("EOF while parsing a value at line 1 column 15"));
    // A long key is not sent back.
    let key = "k".repeat(10_000);
    assert!(why(&format!(r#"{{"{key}":1,"{key}":2}}"#)).len() < 200);
}

#[test]
fn every_wrong_field_is_named() {
    assert_eq!(wrong(&json!({})), ["name", "dob", "fight_skills"]);
    assert_eq!(
        wrong(&json!({"name": 1, "dob": null, "fight_skills": "x"})).len(),
        3
    );
    assert_eq!(
        wrong(&json!({"name": "", "dob": "2000-01-01", "fight_skills": ["s"]})),
        ["name"]
    );
    let two = json!({"name": "n", "dob": "2000-13-01", "fight_skills": []});
    assert_eq!(wrong(&two), ["dob", "fight_skills"]);
}

#[test]
fn dates_are_real_and_written_one_way() {
    for dob in ["0001-01-01", "2000-02-29", "9999-12-31", "1990-01-01"] {
        assert!(NewWarrior::parse(with_dob(dob).as_bytes()).is_ok(), "{dob}");
    }
    for dob in [
        "0000-00-00",
        "0000-01-01",
        "2023-02-29",
        "1900-02-29",
        "10000-01-01",
        "-0001-01-01",
        "+2020-01-01",
        "2020-1-1",
        "today",
        "infinity",
        "epoch",
        "２０２０-01-01",
        " 2020-01-01",
        "2020-01-01 ",
        "2020-01-01T00:00:00Z",
        "",
        "20200101",
        "2020-00-10",
        "2020-04-31",
    ] {
        let body: serde_json::Value = serde_json::from_str(&with_dob(dob)).unwrap();
        assert_eq!(wrong(&body), ["dob"], "{dob}");
    }
}

#[test]
fn lengths_are_counted_in_code_points() {
    let warrior = |name: String, skills: Vec<String>| {
        let body = json!({"name": name, "dob": "2000-01-01", "fight_skills": skills});
        NewWarrior::parse(body.to_string().as_bytes()).is_ok()
    };
    let one = || vec!["s".to_owned()];
    assert!(warrior("😀".repeat(100), one()));
    assert!(!warrior("😀".repeat(101), one()));
    assert!(warrior(" ".to_owned(), one()));
    assert!(!warrior("a\0b".to_owned(), one()));
    assert!(warrior("n".to_owned(), vec!["é".repeat(250); 20]));
    assert!(!warrior("n".to_owned(), vec!["é".repeat(251)]));
    assert!(!warrior("n".to_owned(), vec!["s".to_owned(); 21]));
    assert!(!warrior("n".to_owned(), vec![String::new()]));
    assert!(!warrior("n".to_owned(), vec!["\0".to_owned()]));
}

#[test]
fn skills_are_strings_only() {
    for skills in [
        json!(null),
        json!("karate"),
        json!([null]),
        json!([1]),
        json!([["x"]]),
        json!({}),
    ] {
        let body = json!({"name": "n", "dob": "2000-01-01", "fight_skills": skills});
        assert_eq!(wrong(&body), ["fight_skills"], "{body}");
    }
}

proptest! {
    /// The contract, said a second time: what it allows is accepted unchanged, and nothing else is.
    #[test]
    fn the_limits_are_the_contract(
        name in "\\PC{0,104}|[a\u{0}é😀]{0,3}",
        days in -800_000_i32..3_700_000,
        skills in prop::collection::vec("\\PC{0,5}|😀{248,252}", 0..23),
    ) {
        let date = chrono::NaiveDate::from_ymd_opt(1, 1, 1).unwrap()
            + chrono::Duration::days(days.into());
        let dob = date.format("%Y-%m-%d").to_string();
        let text = |s: &str, max| (1..=max).contains(&s.chars().count()) && !s.contains('\0');
        let right = [
            text(&name, 100),
            (1..=9999).contains(&chrono::Datelike::year(&date)),
            (1..=20).contains(&skills.len()) && skills.iter().all(|s| text(s, 250)),
        ];
        let body = json!({"name": name, "dob": dob, "fight_skills": skills}).to_string();
        match NewWarrior::parse(body.as_bytes()) {
            Ok(warrior) => {
                prop_assert_eq!(right, [true; 3]);
                prop_assert_eq!(warrior, NewWarrior { name, dob, fight_skills: skills });
            }
            Err(Rejection::Invalid(errors)) => {
                let named = |field| !errors.iter().any(|e| e.field == field);
                prop_assert_eq!(right, [named("name"), named("dob"), named("fight_skills")]);
            }
            Err(e) => prop_assert!(false, "{:?}", e),
        }
    }

    /// Bytes of any kind get an answer, never a panic.
    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = NewWarrior::parse(&body);
    }
}
