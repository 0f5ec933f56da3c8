//! `duckdb export` onto a disk that becomes full: a limit on the size of files stands for it.

use std::process::Command;

use super::check::TABLE;
use super::file::{Duck, run};
use crate::support::fresh_database;

/// Incompressible names, so that the rows take more room than the limit leaves.
const ROWS: &str = "insert into warrior (name, dob, fight_skills)
    select md5(i::text) || md5((-i)::text), '1980-01-01', array[md5('a' || i)] from generate_series(1, 30000) i";

/// The same command, none of whose files may grow beyond 1 MiB. A write beyond then fails, as on a full disk.
fn limited(command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .current_dir("/");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            limited.env(name, value);
        }
    }
    limited
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let database = fresh_database();
    database.owner().batch_execute(ROWS).unwrap();
    let new = Duck::none();
    let (status, _, said) = run(&mut limited(
        &new.command("export", &database.owner_login()),
    ));
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("writing the file") && said.contains("Could not write"),
        "{said}"
    );
    assert!(!new.path().exists());
    assert_eq!(new.neighbours(), [""; 0]);

    let old = Duck::with(&[
        TABLE,
        "insert into warrior (name, dob, fight_skills) values ('Ada', '1980-01-01', ['a'])",
    ]);
    let mut add = old.command("export", &database.owner_login());
    add.arg("--add");
    let (status, _, said) = run(&mut limited(&add));
    assert_eq!(status, 1, "{said}");
    assert_eq!(old.number("select count(*) from warrior"), 1);
    // With room, the same command goes through; the row of the file is not in PostgreSQL.
    let (status, out, said) = run(&mut add);
    assert_eq!(status, 5, "{said}");
    assert!(out.contains("30000 rows were written to"), "{out}");
    assert_eq!(old.number("select count(*) from warrior"), 30_001);
}
