//! The shapes that the old service's table may have.

use super::{DuckFile, ended, import};
use crate::support::fresh_database;

/// The rows as text, whatever their shape was.
const ROWS: &str = "select string_agg(concat_ws(' ', id, name, dob, fight_skills, created_at at time zone 'UTC'), '; ' order \
                    by id) from warrior";
const EXPECTED: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff Ådá 1990-02-28 {bow,\"long sword\"} 2024-07-01 12:00:00.123456; \
                        ffffffff-8b86-d011-b42d-00cf4fc964ff O'Neil\\ 0001-01-01 {😀} 2024-01-01 00:00:00";

/// A table and its two rows, the flags that it needs, and what the program says of it.
fn imported(statements: &[&str], flags: &[&str], said: &str) -> String {
    let (file, database) = (DuckFile::with(statements), fresh_database());
    let ended = ended(import(&file, &database.owner_login()).args(flags), 0);
    assert!(ended.errors.contains(said), "{}", ended.errors);
    assert!(
        ended.out.contains("2 rows in ") && ended.out.contains(": 2 stored, 0 were there"),
        "{}",
        ended.out
    );
    let rows = database.owner().query_one(ROWS, &[]).unwrap();
    rows.get(0)
}

#[test]
fn the_table_of_the_guide() {
    let rows = imported(
        &[
            super::TABLE,
            "insert into warrior values ('6F9619FF-8B86-D011-B42D-00CF4FC964FF', 'Ådá', '1990-02-28', ['bow', 'long sword'], \
             '2024-07-01 12:00:00.123456'), ('ffffffff-8b86-d011-b42d-00cf4fc964ff', 'O''Neil\\', '0001-01-01', ['😀'], \
             '2024-01-01')",
        ],
        &[],
        "created_at TIMESTAMP (taken as UTC)",
    );
    assert_eq!(rows, EXPECTED);
}

#[test]
fn text_in_every_column_under_other_names_in_another_schema() {
    let rows = imported(
        &[
            "create schema old",
            "create table old.\"Fight ers\" (key varchar, \"full \"\"name\"\"\" varchar, born varchar, skills json, made \
             timestamptz)",
            "set timezone = 'Asia/Tokyo'",
            "insert into old.\"Fight ers\" values ('6F9619FF8B86D011B42D00CF4FC964FF', 'Ådá', '1990-02-28', \
             '[\"bow\", \"long sword\"]', '2024-07-01 21:00:00.123456+09'), ('FFFFFFFF-8b86-d011-b42d-00cf4fc964ff', \
             'O''Neil\\', '0001-01-01', '[\"\\ud83d\\ude00\"]', '2024-01-01 09:00:00')",
        ],
        &[
            "--table",
            "old.fight ers",
            "--map",
            "id=key,name=full \"name\",dob=born,fight_skills=skills",
            "--map",
            "created_at=made",
        ],
        "fight_skills JSON (JSON), created_at TIMESTAMP WITH TIME ZONE)",
    );
    assert_eq!(rows, EXPECTED);
}

#[test]
fn skills_between_commas_and_the_local_time_of_the_old_machine() {
    let rows = imported(
        &[
            "create table warrior (fight_skills varchar, created_at timestamp_ms, dob date, name varchar, id uuid)",
            "insert into warrior values ('bow, long sword', '2024-07-01 14:00:00.123', '1990-02-28', 'Ådá', \
             '6f9619ff-8b86-d011-b42d-00cf4fc964ff'), (' 😀 ', '2024-01-01 01:00:00', '0001-01-01', 'O''Neil\\', \
             'ffffffff-8b86-d011-b42d-00cf4fc964ff')",
        ],
        &["--time-zone", "Europe/Berlin"],
        "fight_skills VARCHAR (separated by commas), created_at TIMESTAMP_MS (taken as Europe/Berlin)",
    );
    assert_eq!(rows, EXPECTED.replace("123456", "123"));
}

#[test]
fn json_in_a_text_column_and_no_time_at_all() {
    let statements = [
        "create table warrior (id uuid, name varchar, dob date, fight_skills varchar)",
        "insert into warrior values ('6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'Ådá', '1990-02-28', ' [\"bow\",\"long sword\"]'), \
         ('ffffffff-8b86-d011-b42d-00cf4fc964ff', 'O''Neil\\', '0001-01-01', '[\"😀\"]')",
    ];
    let said = "fight_skills VARCHAR (JSON), no created_at: the time of the import is stored";
    let (file, database) = (DuckFile::with(&statements), fresh_database());
    let login = database.owner_login();
    let first = ended(&mut import(&file, &login), 0);
    assert!(first.errors.contains(said), "{}", first.errors);
    // Times that the file does not have are no difference.
    let second = ended(&mut import(&file, &login), 0);
    assert!(
        second
            .out
            .contains(": 0 stored, 2 were there already, 0 have"),
        "{}",
        second.out
    );
    let made =
        "select count(*) from warrior where created_at between now() - interval '1 hour' and now()";
    assert_eq!(super::number(&mut database.owner(), made), 2);
}
