//! The search of the contract, over HTTP.

use serde_json::json;

use super::warrior;
use crate::stores::{Stored, on_every_store};

on_every_store!(
    names_come_before_dates_before_skills,
    names_are_ordered_by_code_point,
    wildcards_and_quotes_stand_for_themselves,
    case_is_ignored_as_lower_ignores_it,
    a_search_gives_the_first_50,
    a_search_needs_one_term,
);

fn names_come_before_dates_before_skills(store: &Stored) {
    let server = store.server();
    let post = |name: &str, dob: &str, skill: &str| {
        let body = json!({"name": name, "dob": dob, "fight_skills": ["other", skill]});
        server.post(&body).location()["/warrior/".len()..].to_owned()
    };
    post("aa by skill", "1990-01-01", "1987");
    post("AA by skill", "1990-01-01", "x 1987 x");
    post("a by date", "1987-05-05", "s");
    // Also by name: a warrior stands in the first tier that it belongs to, and in no other.
    post("z 1987", "1987-01-01", "1987");
    let mut twins = [
        post("b 1987", "1990-01-01", "s"),
        post("b 1987", "1990-01-01", "s"),
    ];
    post("unrelated", "1990-01-01", "s");
    let names = [
        "b 1987",
        "b 1987",
        "z 1987",
        "a by date",
        "AA by skill",
        "aa by skill",
    ];
    assert_eq!(server.names("1987"), names);
    twins.sort_unstable();
    let hits = server.find("1987").json(200);
    assert_eq!([&hits[0]["id"], &hits[1]["id"]], [&twins[0], &twins[1]]);
    // A date is found by any part of it.
    assert_eq!(server.names("87-05-0"), ["a by date"]);
    // The shape: no created_at.
    let hit = hits[0].as_object().unwrap();
    let mut keys: Vec<_> = hit.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["dob", "fight_skills", "id", "name"]);
}

fn names_are_ordered_by_code_point(store: &Stored) {
    let server = store.server();
    // By UTF-16 the dragon would come before U+FFFD; by a language's rules much would move.
    let ordered = [
        " term",
        "-term",
        "A term",
        "Z term",
        "_term",
        "a term",
        "z term",
        "e\u{301} term",
        "\u{e9} term",
        "\u{fffd} term",
        "\u{1F409} term",
    ];
    let mut ordered = ordered.map(str::to_owned);
    for name in ordered.iter().rev() {
        server.post(&warrior(name)).json(201);
    }
    ordered.sort_unstable();
    assert_eq!(server.names("term"), ordered);
}

fn wildcards_and_quotes_stand_for_themselves(store: &Stored) {
    let server = store.server();
    let names = [
        "100%",
        "100 percent",
        "snake_case",
        "snake case",
        r"back\slash",
        "backslash",
        r"end\",
        "'; drop table warrior; --",
        r#"quo"te"#,
        "a,b",
        "{a}",
        "$1",
    ];
    for name in names {
        server.post(&warrior(name)).json(201);
    }
    for (term, found) in [
        ("%", vec!["100%"]),
        ("0%", vec!["100%"]),
        ("_", vec!["snake_case"]),
        ("e_c", vec!["snake_case"]),
        (r"\", vec![r"back\slash", r"end\"]),
        (r"k\s", vec![r"back\slash"]),
        (r"\_", vec![]),
        (r"\%", vec![]),
        (r"d\", vec![r"end\"]),
        ("'; drop", vec!["'; drop table warrior; --"]),
        (r#"o"t"#, vec![r#"quo"te"#]),
        ("a,b", vec!["a,b"]),
        ("{a}", vec!["{a}"]),
        ("$1", vec!["$1"]),
        ("\0", vec![]),
        ("a\0", vec![]),
    ] {
        assert_eq!(server.names(term), found, "{term}");
    }
    // Skills are searched one by one, not as a joined text.
    let body = json!({"name": "n", "dob": "2000-01-01", "fight_skills": ["one", "two"]});
    server.post(&body).json(201);
    for joined in ["one,two", "onetwo", "one two", "e\",\"t", "{one"] {
        assert_eq!(server.names(joined), [""; 0], "{joined}");
    }
    assert_eq!(server.names("two"), ["n"]);
    assert_eq!(server.count(), names.len() as i64 + 1);
}

fn case_is_ignored_as_lower_ignores_it(store: &Stored) {
    let server = store.server();
    let body = json!({"name": "Ärger ΣΊΣΥΦΟΣ", "dob": "2000-01-01", "fight_skills": ["ЖЕСТЬ"]});
    server.post(&body).json(201);
    for term in ["ärger", "ÄRGER", "σίσυφο", "жесть", "Жесть", "ЖЕСТ"] {
        assert_eq!(server.names(term).len(), 1, "{term}");
    }
    // Code points that only look the same are others.
    assert_eq!(server.names("a\u{308}rger").len(), 0);
}

fn a_search_gives_the_first_50(store: &Stored) {
    let server = store.server();
    for n in (1..=120).rev() {
        let body = json!({
            "name": format!("fighter {n:03}"), "dob": "2000-01-01", "fight_skills": ["boxing"],
        });
        server.post(&body).json(201);
    }
    let first: Vec<_> = (1..=50).map(|n| format!("fighter {n:03}")).collect();
    for term in ["fighter", "2000-01", "boxing", "x"] {
        let found = server.names(term);
        assert_eq!(found.len(), 50, "{term}");
        assert_eq!(found, first, "{term}");
    }
    assert_eq!(server.names("fighter 12"), ["fighter 120"]);
}

fn a_search_needs_one_term(store: &Stored) {
    let server = store.server();
    for query in [
        "",
        "?",
        "?t",
        "?t=",
        "?x=1",
        "?t=a&t=b",
        "?t=%zz",
        "?t=%f",
        "?t=%",
        "?t=%ff",
        "?t=%ed%a0%80",
    ] {
        let answer = server.get(&format!("/warrior{query}"));
        assert_eq!(answer.status, 400, "{query}");
        answer.problem(400, "bad-request");
    }
    assert_eq!(server.names("x"), [""; 0]);
    let long = format!("/warrior?t={}", "a".repeat(8000));
    assert_eq!(server.get(&long).json(200), json!([]));
}
