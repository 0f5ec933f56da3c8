//! Files and databases that cannot be used, each with the next command; and a write-ahead log, which can.

use std::process::{self, Command};

use warrior_duckdb::Access;

use super::{DuckFile, assert_whole, ended, import, library, number};
use crate::supervisor::Scratch;
use crate::support::{empty_database, fresh_database};

#[test]
fn a_file_that_a_process_holds_is_told_with_its_id() {
    let (file, database) = (DuckFile::with(&[super::TABLE]), fresh_database());
    let held = library().open(&file.path(), Access::Write, &[]).unwrap();
    let ended = ended(&mut import(&file, &database.owner_login()), 1);
    drop(held);
    let holder = format!("(PID {})", process::id());
    assert!(ended.errors.contains(&holder), "{}", ended.errors);
    assert!(
        ended.errors.contains("stop that process"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_write_ahead_log_is_told_read_and_left() {
    let (file, database) = (DuckFile::with(&[super::TABLE]), fresh_database());
    file.run(&[
        "pragma disable_checkpoint_on_shutdown",
        "insert into warrior values (uuid(), 'Ada', '1990-01-01', ['bow'], '2024-01-01')",
    ]);
    let log = file.beside("app.duckdb.wal");
    let before = std::fs::read(&log).expect("there is a log");
    let ended = ended(&mut import(&file, &database.owner_login()), 0);
    let told = format!("a write-ahead log of {} bytes", before.len());
    assert!(ended.errors.contains(&told), "{}", ended.errors);
    assert!(ended.out.contains(": 1 stored"), "{}", ended.out);
    assert!(std::fs::read(&log).unwrap() == before);
    assert_whole(&file, &mut database.owner());
}

#[test]
fn a_link_is_followed_and_a_log_beside_it_refused() {
    let (file, database) = (DuckFile::with(&[super::TABLE]), fresh_database());
    file.run(&[
        "pragma disable_checkpoint_on_shutdown",
        "insert into warrior values (uuid(), 'Ada', '1990-01-01', ['bow'], '2024-01-01')",
    ]);
    let elsewhere = Scratch::new();
    let link = elsewhere.join("app.duckdb");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    let mut command = import(&file, &database.owner_login());
    let mut linked = Command::new(command.get_program());
    linked
        .env_clear()
        .current_dir("/")
        .args(["duckdb", "import"])
        .arg(&link);
    for (name, value) in command.get_envs() {
        linked.env(name, value.unwrap_or_default());
    }
    let followed = ended(linked.arg("--dry-run"), 0);
    assert!(
        followed.out.contains(": 1 would be stored"),
        "{}",
        followed.out
    );
    std::fs::write(elsewhere.join("app.duckdb.wal"), "rows").unwrap();
    let refused = ended(&mut linked, 1);
    assert!(
        refused.errors.contains("stands beside the link"),
        "{}",
        refused.errors
    );
    std::fs::remove_file(elsewhere.join("app.duckdb.wal")).unwrap();
    std::fs::write(elsewhere.join("app.duckdb.wal.recovery"), "rows").unwrap();
    let refused = ended(&mut linked, 1);
    assert!(
        refused.errors.contains("stands beside the link"),
        "{}",
        refused.errors
    );
    std::fs::write(file.beside("app.duckdb.wal.checkpoint"), "").unwrap();
    let refused = ended(&mut command, 1);
    assert!(
        refused.errors.contains("a checkpoint of it was cut off"),
        "{}",
        refused.errors
    );
}

#[test]
fn what_is_missing_is_told_with_what_there_is() {
    let database = fresh_database();
    let login = database.owner_login();
    let odd =
        "create table fighters (id uuid, full_name varchar, dob timestamp, fight_skills varchar[])";
    let nested = "create table nested (id uuid, name varchar, dob date, fight_skills varchar[][])";
    let placed = "create table placed (id uuid, name varchar, dob date, fight_skills varchar[], RowId bigint)";
    let file = DuckFile::with(&[odd, nested, placed]);
    for (flags, said) in [
        (
            &[][..],
            "has no table warrior; it has main.fighters, main.nested, main.placed: name the one of the warriors with --table",
        ),
        (
            &["--table", "fighters"],
            "has no column name; it has id, full_name, dob, fight_skills: say which one holds it with --map name=...",
        ),
        (
            &["--table", "fighters", "--map", "name=full_name"],
            "is TIMESTAMP, and DATE or VARCHAR can be read",
        ),
        (
            &["--table", "nested"],
            "is VARCHAR[][], and VARCHAR[] or JSON or VARCHAR can be read",
        ),
        (
            &["--table", "placed"],
            "has a column of its own named rowid",
        ),
    ] {
        let ended = ended(import(&file, &login).args(flags), 1);
        assert!(ended.errors.contains(said), "{}", ended.errors);
    }
    let empty = DuckFile::with(&[]);
    let ended = ended(&mut import(&empty, &login), 1);
    assert!(
        ended.errors.contains("has no table at all"),
        "{}",
        ended.errors
    );
}

#[test]
fn a_database_without_the_schema_is_told_how_to_get_it() {
    let (file, database) = (DuckFile::with(&[super::TABLE]), empty_database());
    let ended = ended(&mut import(&file, &database.owner_login()), 1);
    let said = "run `warrior-api schema apply` first";
    assert!(ended.errors.contains(said), "{}", ended.errors);
}

#[test]
fn a_trigger_that_drops_rows_is_no_success() {
    let (file, database) = (DuckFile::with_many(10), fresh_database());
    database
        .owner()
        .batch_execute(
            "create function nothing() returns trigger language plpgsql as 'begin return null; end';
             create trigger nothing before insert on warrior for each row execute function nothing()",
        )
        .unwrap();
    let ended = ended(&mut import(&file, &database.owner_login()), 1);
    let said = "10 rows were neither stored nor there: a trigger or rule";
    assert!(ended.errors.contains(said), "{}", ended.errors);
}

#[test]
fn a_trigger_that_alters_rows_is_no_success() {
    let (file, database) = (DuckFile::with_many(10), fresh_database());
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function backwards() returns trigger language plpgsql as
                 'begin new.name := reverse(new.name); return new; end';
             create trigger backwards before insert on warrior for each row execute function backwards()",
        )
        .unwrap();
    let refused = ended(&mut import(&file, &database.owner_login()), 1);
    let said = "10 rows were stored with other content than they have: a trigger";
    assert!(refused.errors.contains(said), "{}", refused.errors);
    assert_eq!(number(&mut owner, "select count(*) from warrior"), 0);
    // What a subtransaction alters bears another transaction's id.
    owner
        .batch_execute(
            "create or replace function backwards() returns trigger language plpgsql as 'begin return new; end';
             create function afterwards() returns trigger language plpgsql as
                 'begin
                      begin
                          update warrior set name = reverse(name) where id = new.id;
                      exception when division_by_zero then null;
                      end;
                      return null;
                  end';
             create trigger afterwards after insert on warrior for each row execute function afterwards()",
        )
        .unwrap();
    let refused = ended(&mut import(&file, &database.owner_login()), 1);
    assert!(refused.errors.contains(said), "{}", refused.errors);
    // One that alters nothing is no obstacle.
    owner
        .batch_execute("drop trigger afterwards on warrior")
        .unwrap();
    owner
        .batch_execute(
            "create or replace function backwards() returns trigger language plpgsql as 'begin return new; end'",
        )
        .unwrap();
    ended(&mut import(&file, &database.owner_login()), 0);
    assert_eq!(number(&mut owner, "select count(*) from warrior"), 10);
    // Beside rows that were there, too.
    owner
        .batch_execute(
            "delete from warrior where id in (select id from warrior order by id limit 3);
             create trigger afterwards after insert on warrior for each row execute function afterwards()",
        )
        .unwrap();
    let refused = ended(&mut import(&file, &database.owner_login()), 1);
    let said = "3 rows were stored with other content than they have";
    assert!(refused.errors.contains(said), "{}", refused.errors);
    assert_eq!(number(&mut owner, "select count(*) from warrior"), 7);
}

#[test]
fn flags_without_effect_and_zones_that_are_none_are_told() {
    let login = fresh_database().owner_login();
    let zoned = DuckFile::with(&[super::check::TABLE]);
    let local = DuckFile::with(&[super::TABLE]);
    for (file, flags, said) in [
        (
            &zoned,
            ["--time-zone", "Europe/Berlin"],
            "--time-zone has no effect: created_at of \"main\".\"warrior\" is TIMESTAMP WITH TIME ZONE",
        ),
        (
            &local,
            ["--skills", "json"],
            "--skills has no effect: fight_skills of \"main\".\"warrior\" is VARCHAR[]",
        ),
        (
            &local,
            ["--time-zone", "Nowhere"],
            "--time-zone Nowhere cannot be used: ",
        ),
    ] {
        let refused = ended(import(file, &login).args(flags), 1);
        assert!(refused.errors.contains(said), "{}", refused.errors);
    }
}

#[test]
fn a_view_and_a_folder_are_no_tables_of_a_file() {
    let login = fresh_database().owner_login();
    let file = DuckFile::with(&[
        "create table fighters (id uuid, name varchar, dob date, fight_skills varchar[])",
        "create view warrior as select * from fighters",
    ]);
    let view = ended(&mut import(&file, &login), 1);
    let said = "warrior is a view, whose rows have no place in the file";
    assert!(view.errors.contains(said), "{}", view.errors);

    std::fs::remove_file(file.path()).unwrap();
    std::fs::create_dir(file.path()).unwrap();
    let folder = ended(&mut import(&file, &login), 1);
    let said = format!(
        "{} is a folder; name the DuckDB file in it",
        file.path().display()
    );
    assert!(folder.errors.contains(&said), "{}", folder.errors);
}
