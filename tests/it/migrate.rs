//! `warrior-api duckdb`: real files, and a real PostgreSQL.

mod add;
mod check;
mod export;
mod file;
mod left_out;
mod misread;
mod no_room;
mod odd;
mod refusals;
mod restart;
mod resume;
mod shapes;
mod stop;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::Client;
use warrior_api::config::Database;
use warrior_api::store::schema;
use warrior_duckdb::{Access, Library};

use crate::supervisor::Scratch;

/// The old service's table, as the migration guide's one is in DuckDB.
const TABLE: &str = "create table warrior (id uuid primary key default uuid(), name varchar(100) not null, dob date not \
                     null, fight_skills varchar[] not null, created_at timestamp default current_timestamp)";
/// Many rows of it: $ROWS of them.
const MANY: &str = "insert into warrior select uuid(), 'Warrior ' || i || ' of ' || md5(i::varchar), date '1940-01-01' + \
                    (i % 25000)::integer, list_transform(range(1 + i % 7), lambda k: 'skill ' || (i + k) % 500), timestamp \
                    '2024-01-01' + to_microseconds(i * 1234567) from range($ROWS) t(i)";
/// One text of all rows, equal on both sides where the rows are.
const IN_FILE: &str = "select md5(string_agg(concat_ws(' ', id, name, dob, array_to_string(fight_skills, '|'), \
                       epoch_us(created_at)), '\n' order by id)) from warrior";
const IN_POSTGRESQL: &str = "select md5(string_agg(concat_ws(' ', id, name, dob, array_to_string(fight_skills, '|'), \
                             (extract(epoch from created_at) * 1000000)::bigint), E'\\n' order by id)) from warrior";

/// A DuckDB file in a folder of its own.
struct DuckFile {
    scratch: Scratch,
}

/// What a command said, and how it ended.
struct Ended {
    status: Option<i32>,
    out: String,
    errors: String,
}

impl DuckFile {
    /// A file in which `statements` were run.
    fn with(statements: &[&str]) -> Self {
        let file = Self {
            scratch: Scratch::new(),
        };
        file.run(statements);
        file
    }

    fn with_many(rows: u32) -> Self {
        Self::with(&[TABLE, &MANY.replace("$ROWS", &rows.to_string())])
    }

    fn run(&self, statements: &[&str]) {
        let file = library().open(&self.path(), Access::Create, &[]).unwrap();
        let mut connection = file.connect().unwrap();
        for statement in statements {
            let ran = connection.run(statement);
            ran.unwrap_or_else(|e| panic!("{statement}: {e}"));
        }
    }

    fn text(&self, sql: &str) -> Option<String> {
        let file = library().open(&self.path(), Access::Read, &[]).unwrap();
        file.connect().unwrap().text(sql).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.scratch.join("app.duckdb")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }
}

fn library() -> Library {
    Library::find(Some(&file::library())).expect("it can be loaded")
}

/// `warrior-api duckdb import` of `file` into the database of `owner`.
fn import(file: &DuckFile, owner: &Database) -> Command {
    file::command("import", &file.path(), owner)
}

/// Who may read and write a file.
fn mode_of(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn begin(command: &mut Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program under test runs")
}

fn end(child: Child) -> Ended {
    let output = child.wait_with_output().expect("it can be waited for");
    Ended {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        errors: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs a command to its end, which must have `status`.
fn ended(command: &mut Command, status: i32) -> Ended {
    let ended = end(begin(command));
    assert_eq!(ended.status, Some(status), "{}{}", ended.out, ended.errors);
    ended
}

fn number(client: &mut Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).unwrap().get(0)
}

/// Every row is there as it stands in the file, and what the triggers keep, the indexes and the progress are in order.
fn assert_whole(file: &DuckFile, client: &mut Client) {
    let there: Option<String> = client.query_one(IN_POSTGRESQL, &[]).unwrap().get(0);
    assert_eq!(there, file.text(IN_FILE));
    let left = "select count(*) from pg_class where relname = 'warrior_import'";
    assert_eq!(number(client, left), 0);
    let status = schema::status(client).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    assert!(status.faults.is_empty(), "{status}");
}
