//! Functions as source: each is defined once, those of the database are those of the source, and a change reaches the
//! database while clients go on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use postgres::Client;
use postgres::types::Type;
use warrior_api::store::schema;

use crate::schema::applied::{SEARCH, apply, assert_complete, number};
use crate::support::{Ending, fresh_database};

/// Makes the functions of the database look like those of another program.
const OTHER_PROGRAM: &str = "update public.warrior_schema set digest = 'another'";
const DEFINES: [&str; 2] = ["create function ", "create or replace function "];

/// The SQL files of a folder, and of those within.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push((path.clone(), fs::read_to_string(&path).unwrap())),
        }
    }
    found
}

/// The functions that a text defines, by name.
fn defined(sql: &str) -> Vec<String> {
    sql.lines()
        .filter_map(|line| {
            DEFINES
                .iter()
                .find_map(|define| line.trim_start().strip_prefix(define))
        })
        .map(|definition| definition.split('(').next().unwrap().to_owned())
        .collect()
}

fn schema_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
}

fn body(client: &mut Client, name: &str) -> String {
    let sql =
        "select prosrc from pg_proc where pronamespace = 'public'::regnamespace and proname = $1";
    client.query_one(sql, &[&name]).unwrap().get(0)
}

#[test]
fn each_function_is_defined_once_and_in_a_file_that_is_run() {
    let printed = schema::print() + &schema::print_plain();
    let mut seen = BTreeSet::new();
    for (path, sql) in sources(&schema_folder()) {
        assert!(printed.contains(sql.trim_end()), "{path:?} is never run");
        for name in defined(&sql) {
            assert!(
                path.starts_with(schema_folder().join("functions")),
                "{name} stands in {path:?}"
            );
            assert!(
                seen.insert(name.clone()),
                "{name} is defined again in {path:?}"
            );
        }
    }
    assert!(seen.contains("public.warrior_search"), "{seen:?}");
}

#[test]
fn the_functions_of_a_database_are_those_of_the_source() {
    let database = fresh_database();
    let there: BTreeSet<String> = database
        .owner()
        .query(
            "select proname::text
               from pg_proc
              where pronamespace = 'public'::regnamespace
                and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')",
            &[],
        )
        .unwrap()
        .iter()
        .map(|row| format!("public.{}", row.get::<_, &str>(0)))
        .collect();
    let source = sources(&schema_folder());
    let source: BTreeSet<String> = source.iter().flat_map(|(_, sql)| defined(sql)).collect();
    assert_eq!(there, source);
}

#[test]
fn functions_are_created_again_when_their_text_or_they_have_changed_and_only_then() {
    let database = fresh_database();
    let mut owner = database.owner();
    let ours = body(&mut owner, "warrior_folded");
    owner
        .batch_execute(
            "create or replace function public.warrior_folded(name text) returns text
             language sql immutable parallel safe as 'select name'",
        )
        .unwrap();
    let status = schema::status(&mut owner).unwrap().to_string();
    assert!(
        status.contains("public.warrior_folded(text) was changed since it was created"),
        "{status}"
    );
    assert!(apply(&mut owner).unwrap().functions);
    assert_eq!(body(&mut owner, "warrior_folded"), ours);
    assert!(!apply(&mut owner).unwrap().functions);

    owner.batch_execute(OTHER_PROGRAM).unwrap();
    let status = schema::status(&mut owner).unwrap().to_string();
    assert!(
        status.contains("the functions are not those of this program"),
        "{status}"
    );
    assert!(apply(&mut owner).unwrap().functions);
    assert_eq!(body(&mut owner, "warrior_folded"), ours);
    assert_complete(&database);
}

#[test]
fn functions_are_created_again_while_clients_write_and_search() {
    const APPLIES: usize = 20;
    let database = fresh_database();
    let mut owner = database.owner();
    let (mut writer, mut reader) = (database.runtime(), database.runtime());
    // How fast the disk of a busy machine is does not matter here.
    for client in [&mut writer, &mut reader] {
        client
            .batch_execute("set statement_timeout = '60s'")
            .unwrap();
    }
    let done = AtomicBool::new(false);
    let (written, found) = thread::scope(|scope| {
        let ending = Ending(&done);
        let writing = scope.spawn(|| {
            let insert = "insert into public.warrior (name, dob, fight_skills) values ('meanwhile', '1999-12-31', '{judo}')";
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                writer.batch_execute(insert).unwrap();
                written += 1;
            }
            written
        });
        let searching = scope.spawn(|| {
            let mut found = 0;
            while !done.load(Ordering::Relaxed) {
                found += reader
                    .query_typed(SEARCH, &[(&"judo", Type::TEXT)])
                    .unwrap()
                    .len();
            }
            found
        });
        for _ in 0..APPLIES {
            owner.batch_execute(OTHER_PROGRAM).unwrap();
            assert!(apply(&mut owner).unwrap().functions);
        }
        drop(ending);
        (writing.join().unwrap(), searching.join().unwrap())
    });
    assert!(written > 0 && found > 0, "{written} {found}");
    let count = include_str!("../../../src/store/sql/count.sql");
    assert_eq!(number(&mut owner, count), written);
}

/// A session of an older client library, or of a role that was set so long ago.
#[test]
fn functions_mean_the_same_whatever_a_backslash_means_to_their_caller() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills)
             select 'n ' || n || E' 100%_a-b]^\\\\', '1990-01-31', array['s ' || n || E'%_\\\\x'] from generate_series(1, 20) as n;
             set escape_string_warning = off; set statement_timeout = '60s'",
        )
        .unwrap();
    let answers = |client: &mut Client| -> String {
        let sql = "select concat_ws(' | ', public.warrior_unlisted_letter(), public.warrior_pair_expression('10'),
                                    (select count(*) from public.warrior_search('0%_a')),
                                    (select count(*) from public.warrior_search('%_' || chr(92) || 'x')),
                                    (select count(*) from public.warrior_search('n%1')),
                                    (select count(*) from public.warrior_search('1 100%_a-b]^' || chr(92))))";
        client.query_one(sql, &[]).unwrap().get(0)
    };
    let expected = answers(&mut owner);
    let mut older = database.owner();
    older
        .batch_execute(
            "set standard_conforming_strings = off; set escape_string_warning = off; set statement_timeout = '60s'",
        )
        .unwrap();
    assert_eq!(answers(&mut older), expected);
    let kept: i64 = older
        .query_one("select letters_added from public.warrior_recount()", &[])
        .unwrap()
        .get(0);
    assert_eq!(kept, 0);
    let listed = "select count(*) from public.warrior_letter";
    let before = number(&mut older, listed);
    older
        .batch_execute("delete from public.warrior_letter; select public.warrior_recount()")
        .unwrap();
    assert_eq!(number(&mut older, listed), before);
    // In another order, perhaps.
    assert_eq!(answers(&mut older), answers(&mut owner));
}
