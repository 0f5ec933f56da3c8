//! Rows that cannot be taken, and rows that differ.

use std::fs;

use serde_json::Value;

use super::{DuckFile, ended, import, number};
use crate::support::fresh_database;

/// One row of each kind that PostgreSQL or the contract cannot hold, and how it is called. Its other columns are right.
const ODD: [(&str, &str, &str); 26] = [
    ("id", "null", "id is NULL"),
    ("id", "'7'", "id is not a UUID"),
    (
        "id",
        "'6F9619FF-8B86-D011-B42D-00CF4FC964FF'",
        "id stands more than once",
    ),
    (
        "id",
        "'6f9619ff8b86d011b42d00cf4fc964ff'",
        "id stands more than once",
    ),
    ("name", "null", "name is NULL"),
    ("name", "''", "name is empty"),
    ("name", "'a' || chr(0) || 'b'", "name contains U+0000"),
    (
        "name",
        "repeat('😀', 101)",
        "name has more than 100 characters",
    ),
    ("dob", "null", "dob is NULL"),
    ("dob", "'infinity'", "dob is infinite"),
    ("dob", "'-infinity'", "dob is infinite"),
    ("dob", "'0001-12-31 (BC)'", "dob is before 0001-01-01"),
    ("dob", "'10000-01-01'", "dob is after 9999-12-31"),
    ("dob", "'5881580-07-10'", "dob is after 9999-12-31"),
    ("fight_skills", "null", "fight_skills is NULL"),
    ("fight_skills", "[]", "fight_skills is empty"),
    (
        "fight_skills",
        "['bow', null]",
        "fight_skills has a NULL among the skills",
    ),
    ("fight_skills", "['']", "fight_skills has an empty skill"),
    (
        "fight_skills",
        "[repeat('x', 251)]",
        "fight_skills has a skill of more than 250 characters",
    ),
    (
        "fight_skills",
        "range(21)::varchar[]",
        "fight_skills has more than 20 skills",
    ),
    (
        "fight_skills",
        "['a' || chr(0)]",
        "fight_skills contains U+0000",
    ),
    ("created_at", "null", "created_at is NULL"),
    ("created_at", "'infinity'", "created_at is infinite"),
    ("created_at", "'-infinity'", "created_at is infinite"),
    (
        "created_at",
        "'0044-03-15 (BC) 12:00:00'",
        "created_at is before 0001-01-01",
    ),
    (
        "created_at",
        "'10000-01-01 00:00:00'",
        "created_at is after 9999-12-31",
    ),
];
/// The furthest that is still right.
const RIGHT: [(&str, &str); 6] = [
    ("name", "repeat('😀', 100)"),
    ("name", "' '"),
    ("dob", "'0001-01-01'"),
    ("dob", "'9999-12-31'"),
    (
        "fight_skills",
        "list_transform(range(20), lambda i: repeat('é', 250))",
    ),
    ("created_at", "'9999-12-31 23:59:59.999999'"),
];

fn insert(column: &str, value: &str) -> String {
    let given = [
        ("id", "uuid()::varchar"),
        ("name", "'Ada'"),
        ("dob", "'1990-01-01'"),
        ("fight_skills", "['bow']"),
        ("created_at", "'2024-01-01'"),
    ];
    let values = given.map(|(name, right)| if name == column { value } else { right });
    format!("insert into warrior values ({})", values.join(", "))
}

fn odd_file() -> DuckFile {
    let mut statements = vec![
        "create table warrior (id varchar, name varchar(100), dob date, fight_skills varchar[], created_at timestamp)"
            .to_owned(),
    ];
    statements.extend(ODD.map(|(column, value, _)| insert(column, value)));
    statements.extend(RIGHT.map(|(column, value)| insert(column, value)));
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    DuckFile::with(&statements)
}

#[test]
fn rows_that_cannot_be_taken_are_counted_by_reason_and_stop_the_import() {
    let (file, database) = (odd_file(), fresh_database());
    let ended = ended(&mut import(&file, &database.owner_login()), 3);
    for (_, value, reason) in ODD {
        let count = ODD.iter().filter(|(_, _, other)| *other == reason).count();
        let line = ended
            .out
            .lines()
            .find(|line| line.contains(&format!("  {reason}  ")));
        let line = line.unwrap_or_else(|| panic!("{value}: {reason}: {}", ended.out));
        assert!(
            line.trim_start().starts_with(&format!("{count} ")),
            "{line}"
        );
    }
    assert!(
        ended
            .out
            .contains("26 of 32 rows cannot be taken, and nothing was copied"),
        "{}",
        ended.out
    );
    assert_eq!(
        number(&mut database.owner(), "select count(*) from warrior"),
        0
    );
}

#[test]
fn rejects_are_written_as_they_stand_and_the_others_are_taken() {
    let (file, database) = (odd_file(), fresh_database());
    let rejects = file.beside("rejects.jsonl");
    fs::write(&rejects, "of an earlier run").unwrap();
    let login = database.owner_login();
    let dry = super::ended(
        import(&file, &login)
            .arg("--dry-run")
            .arg("--rejects")
            .arg(&rejects),
        0,
    );
    assert!(dry.out.contains(": 6 would be stored"), "{}", dry.out);
    assert!(dry.out.contains(", 26 would be left out\n"), "{}", dry.out);
    assert_eq!(fs::read_to_string(&rejects).unwrap(), "of an earlier run");
    let ended = ended(import(&file, &login).arg("--rejects").arg(&rejects), 0);
    assert!(
        ended.out.contains(": 6 stored, 0 were there"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains(", 26 left out, see "), "{}", ended.out);
    assert_eq!(
        number(&mut database.owner(), "select count(*) from warrior"),
        6
    );
    let longest =
        "select count(*) from warrior where fight_skills = array_fill(repeat('é', 250), array[20])";
    assert_eq!(number(&mut database.owner(), longest), 1);

    let lines: Vec<Value> = (fs::read_to_string(&rejects).unwrap().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), ODD.len());
    for (line, (column, _, reason)) in lines.iter().zip(ODD) {
        assert_eq!(line["column"], column);
        let told = format!("{column} {}", line["reason"].as_str().unwrap());
        assert_eq!(told, reason);
        assert_eq!(line["id"], line["row"]["id"]);
    }
    assert_eq!(lines[6]["row"]["name"], "a\0b");
    assert_eq!(lines[11]["row"]["dob"], "0001-12-31 (BC)");
    assert_eq!(
        lines[16]["row"]["fight_skills"],
        serde_json::json!(["bow", null])
    );
    assert_eq!(lines[22]["row"]["created_at"], "infinity");
    assert!(!file.beside("rejects.jsonl.part").exists());
    assert_eq!(super::mode_of(&rejects), 0o600);
}

#[test]
fn text_that_is_no_date_or_no_json_is_told() {
    let file = DuckFile::with(&[
        "create table warrior (id uuid, name varchar, dob varchar, fight_skills json)",
        "insert into warrior values (uuid(), 'A', '1990-1-1', '[\"a\"]'), (uuid(), 'B', '1990-02-30', '[\"a\"]'), (uuid(), 'C', \
         '1990-01-01', '{}'), (uuid(), 'D', '1990-01-01', '[1]'), (uuid(), 'E', '1990-01-01', '[null]')",
    ]);
    let ended = ended(&mut import(&file, &fresh_database().owner_login()), 3);
    for line in [
        "2  dob is not a date written YYYY-MM-DD",
        "2  fight_skills is not a JSON array of strings",
        "1  fight_skills has a NULL among the skills",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
}

#[test]
fn other_content_under_an_id_is_listed_and_stays() {
    let file = DuckFile::with(&[
        super::TABLE,
        "insert into warrior select ('00000000-0000-0000-0000-0000000000' || lpad(i::varchar, 2, '0'))::uuid, 'Ada', \
         '1990-01-01', ['bow', 'axe'], '2024-01-01' from range(30) t(i)",
    ]);
    let (database, id) = (fresh_database(), "00000000-0000-0000-0000-0000000000");
    let changed = [
        "'Ada ', '1990-01-01', '{bow,axe}', '2024-01-01Z'",
        "'Ada', '1990-01-02', '{bow,axe}', '2024-01-01Z'",
        "'Ada', '1990-01-01', '{axe,bow}', '2024-01-01Z'",
        "'Ada', '1990-01-01', '{bow,axe}', '2024-01-01 00:00:00.000001Z'",
        "'Ada', '1990-01-01', '{bow,axe}', '2024-01-01Z'",
    ];
    for (number, values) in changed.iter().enumerate() {
        let sql = format!("insert into warrior values ('{id}0{number}', {values})");
        database.owner().batch_execute(&sql).unwrap();
    }
    let login = database.owner_login();
    let dry = ended(import(&file, &login).arg("--dry-run"), 3);
    let told = ": 25 would be stored, 1 were there already, 4 have other content there";
    assert!(dry.out.contains(told), "{}", dry.out);
    assert_eq!(
        number(&mut database.owner(), "select count(*) from warrior"),
        5
    );
    let ended = ended(&mut import(&file, &login), 3);
    for number in 0..4 {
        assert!(
            ended.out.contains(&format!("\n  {id}0{number}\n")),
            "{}",
            ended.out
        );
    }
    assert!(
        ended
            .out
            .contains(": 25 stored, 1 were there already, 4 have other"),
        "{}",
        ended.out
    );
    let kept = "select count(*) from warrior where name = 'Ada ' or dob = '1990-01-02'";
    assert_eq!(number(&mut database.owner(), kept), 2);
    assert_eq!(
        number(
            &mut database.owner(),
            "select sum(n)::bigint from warrior_count"
        ),
        30
    );
}

#[test]
fn json_among_skills_that_were_guessed_to_stand_between_commas_is_refused() {
    let file = DuckFile::with(&[
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar)",
        "insert into warrior select uuid(), 'A', '1990-01-01', unnest(['bow, axe', 'bow', '[\"a,b\",\"c\"]', ' [\"d\"]', null])",
    ]);
    let login = fresh_database().owner_login();
    let ended = super::ended(&mut import(&file, &login), 3);
    for line in [
        "2  fight_skills looks like JSON; say --skills",
        "1  fight_skills is NULL",
    ] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    let file = DuckFile::with(&[
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar)",
        "insert into warrior select uuid(), 'A', '1990-01-01', unnest(['{sword,bow}', '(sword,bow)', 'y;z', 'a|b', 'bow, axe'])",
    ]);
    let guessed = super::ended(&mut import(&file, &login), 3);
    for line in [
        "2  fight_skills begins as an array does; say --skills",
        "2  fight_skills has no comma, but ; | or lines; say --skills",
    ] {
        assert!(guessed.out.contains(line), "{line}: {}", guessed.out);
    }
    let example = "the first are \"{sword\", \"bow}\"";
    assert!(guessed.errors.contains(example), "{}", guessed.errors);
    // What is said is not guessed.
    let database = fresh_database();
    let said = super::ended(
        import(&file, &database.owner_login()).args(["--skills", "comma"]),
        0,
    );
    assert!(!said.errors.contains("the first are"), "{}", said.errors);
    let literal =
        "select count(*) from warrior where fight_skills in ('{\"{sword\",\"bow}\"}', '{y;z}')";
    assert_eq!(number(&mut database.owner(), literal), 2);
    // NULL and blank texts say nothing of the others.
    let file = DuckFile::with(&[
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar)",
        "insert into warrior select uuid(), 'A', '1990-01-01', unnest(['[\"a,b\"]', null, ' ', ''])",
    ]);
    let rejects = file.beside("rejects.jsonl");
    let database = fresh_database();
    let login = database.owner_login();
    super::ended(import(&file, &login).arg("--rejects").arg(&rejects), 0);
    let right = "select count(*) from warrior where fight_skills = '{\"a,b\"}'";
    assert_eq!(number(&mut database.owner(), right), 1);
}

#[test]
fn local_times_at_a_change_of_the_clocks_are_counted_and_taken_as_told() {
    let file = DuckFile::with(&[
        super::TABLE,
        "insert into warrior select uuid(), name, '1990-01-01', ['bow'], made from (values
           ('skipped', timestamp '2024-03-31 02:30:00'), ('after', '2024-03-31 03:00:00'), ('before', '2024-03-31 01:59:59'),
           ('twice', '2024-10-27 02:30:00'), ('twice', '2024-10-27 02:59:59'), ('after', '2024-10-27 03:00:00'),
           ('endless', 'infinity')) t (name, made)",
    ]);
    let database = fresh_database();
    let login = database.owner_login();
    let rejects = file.beside("rejects.jsonl");
    let mut command = import(&file, &login);
    command
        .args(["--time-zone", "Europe/Berlin", "--rejects"])
        .arg(&rejects);
    let ended = super::ended(&mut command, 0);
    let told = "1 times of created_at are in an hour that Europe/Berlin skipped, and are taken as an hour later; 2 are in one \
                that it had twice";
    assert!(ended.errors.contains(told), "{}", ended.errors);
    let taken = "select count(*) from warrior where (name, created_at) in
                   (('skipped', '2024-03-31 01:30:00Z'), ('twice', '2024-10-27 01:30:00Z'), ('twice', '2024-10-27 01:59:59Z'))";
    assert_eq!(number(&mut database.owner(), taken), 3);
}

#[test]
fn a_time_that_is_too_far_for_a_zone_is_a_reject_like_any_other() {
    let file = DuckFile::with(&[
        super::TABLE,
        "insert into warrior select uuid(), 'A', '1990-01-01', ['bow'], unnest([timestamp '294247-01-10', '10000-01-02', \
         '0044-03-15 (BC)', '290000-12-31 (BC)', '9999-12-31 23:00:00', '0001-01-01 12:00:00'])",
    ]);
    let database = fresh_database();
    let mut command = import(&file, &database.owner_login());
    command.args(["--time-zone", "Europe/Berlin"]);
    let refused = super::ended(&mut command, 3);
    for line in [
        "2  created_at is after 9999-12-31",
        "2  created_at is before 0001-01-01",
    ] {
        assert!(refused.out.contains(line), "{line}: {}", refused.out);
    }
    let rejects = file.beside("rejects.jsonl");
    super::ended(command.arg("--rejects").arg(&rejects), 0);
    let right = "select count(*) from warrior where created_at in ('9999-12-31 22:00:00Z', '0001-01-01 11:06:32Z')";
    assert_eq!(number(&mut database.owner(), right), 2);
}

#[test]
fn rejects_are_no_file_of_duckdbs_and_no_other_imports() {
    let (file, database) = (odd_file(), fresh_database());
    let login = database.owner_login();
    let bytes = fs::read(file.path()).unwrap();
    let link = file.beside("link");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    let log = file.beside("app.duckdb.wal");
    let cut_off = file.beside("app.duckdb.wal.checkpoint");
    for place in [&file.path(), &link, &log, &cut_off] {
        let ended = super::ended(import(&file, &login).arg("--rejects").arg(place), 1);
        assert!(ended.errors.contains("or its log"), "{}", ended.errors);
    }
    assert!(fs::read(file.path()).unwrap() == bytes && !log.exists());
    let rejects = file.beside("rejects.jsonl");
    let part = file.beside("rejects.jsonl.part");
    fs::write(&part, "another's").unwrap();
    let another = fs::File::open(&part).unwrap();
    another.lock().unwrap();
    let ended = super::ended(import(&file, &login).arg("--rejects").arg(&rejects), 1);
    let told = format!("another import writes {}", part.display());
    assert!(ended.errors.contains(&told), "{}", ended.errors);
    assert_eq!(fs::read_to_string(&part).unwrap(), "another's");
    // What it left is no obstacle once it was killed.
    drop(another);
    super::ended(import(&file, &login).arg("--rejects").arg(&rejects), 0);
    assert!(!part.exists());
    assert!(!fs::read_to_string(&rejects).unwrap().contains("another's"));
}
