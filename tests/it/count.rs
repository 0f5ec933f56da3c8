//! The exact count and the dictionaries, whoever writes and however.

use std::collections::BTreeSet;
use std::io::Write;
use std::thread;

use postgres::types::Type;
use postgres::{Client, IsolationLevel};
use uuid::Uuid;
use warrior_api::store::schema;
use warrior_api::store::statements::SEARCH;

use crate::support::{Fresh, fresh_database};

const COUNT: &str = include_str!("../../src/store/sql/count.sql");
const INSERT: &str = include_str!("../../src/store/sql/insert.sql");

/// The table is locked first, as TRUNCATE does; the other order could deadlock with it.
const DRIFT: &str = "select (select count(*) from public.warrior)
                          - (select coalesce(sum(n), 0) from public.warrior_count)::bigint";

fn count(client: &mut Client) -> i64 {
    client.query_typed(COUNT, &[]).unwrap()[0].get(0)
}

fn drift(client: &mut Client) -> i64 {
    client.query_one(DRIFT, &[]).unwrap().get(0)
}

fn insert(client: &mut Client, ids: &[Uuid], skill: &str, dob: &str) -> usize {
    let names: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let dobs = vec![dob; ids.len()];
    let skills = vec![format!("{{judo,\"{skill}\"}}"); ids.len()];
    let params: [(&(dyn postgres::types::ToSql + Sync), Type); 4] = [
        (&ids, Type::UUID_ARRAY),
        (&names, Type::TEXT_ARRAY),
        (&dobs, Type::TEXT_ARRAY),
        (&skills, Type::TEXT_ARRAY),
    ];
    client.query_typed(INSERT, &params).unwrap().len()
}

fn ids(n: usize) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..n).map(|_| Uuid::now_v7()).collect();
    ids.sort();
    ids
}

fn copy(client: &mut Client, rows: usize, skill: &str) {
    let mut writer = client
        .copy_in("copy public.warrior (name, dob, fight_skills) from stdin")
        .unwrap();
    for n in 0..rows {
        writeln!(writer, "copied {n}\t1990-01-01\t{{{skill}}}").unwrap();
    }
    writer.finish().unwrap();
}

/// One writer's share of everything that changes rows; which, depends on `turn`.
fn write_somehow(client: &mut Client, writer: usize, turn: usize) {
    let skill = format!("skill {}", (writer * turn) % 17);
    match (writer + turn) % 8 {
        0 => copy(client, 37, &skill),
        1 => {
            client
                .batch_execute("delete from public.warrior where id in (select id from public.warrior limit 11 for update skip locked)")
                .unwrap();
        }
        2 => {
            let mut transaction = client.transaction().unwrap();
            transaction
                .batch_execute("insert into public.warrior (name, dob, fight_skills) select 'undone', '1980-01-01', '{never}' from generate_series(1, 13)")
                .unwrap();
            transaction.rollback().unwrap();
        }
        3 => {
            client
                .batch_execute("update public.warrior set fight_skills = array['updated ' || left(id::text, 2)], dob = dob + 1 where id in (select id from public.warrior limit 5 for update skip locked)")
                .unwrap();
        }
        4 => {
            // Other isolation levels conflict with nobody either.
            let mut transaction = client
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .start()
                .unwrap();
            transaction.query("select 1", &[]).unwrap();
            transaction
                .batch_execute("insert into public.warrior (name, dob, fight_skills) values ('repeatable', '1981-01-01', '{judo}')")
                .unwrap();
            transaction.commit().unwrap();
        }
        5 if writer == 0 && turn.is_multiple_of(3) => {
            client.batch_execute("truncate public.warrior").unwrap();
        }
        _ => {
            let ids = ids(20);
            assert_eq!(insert(client, &ids, &skill, "1970-02-03"), 20);
            // The same again, as after an attempt with unknown outcome.
            assert!(insert(client, &ids, &skill, "1970-02-03") <= 20);
        }
    }
}

#[test]
fn count_is_exact_under_everything_that_changes_rows() {
    let database = fresh_database();
    thread::scope(|scope| {
        for writer in 0..6 {
            let mut client = database.owner();
            scope.spawn(move || (0..24).for_each(|turn| write_somehow(&mut client, writer, turn)));
        }
        let mut reader = database.owner();
        scope.spawn(move || (0..50).for_each(|_| assert_eq!(drift(&mut reader), 0)));
    });
    let mut client = database.owner();
    assert_eq!(drift(&mut client), 0);
    assert!(count(&mut client) > 0, "the writers left nothing to count");
    assert_dictionaries_hold_everything(&mut client);
    let repaired = schema::recount(&mut client, &mut |_| {}).unwrap();
    assert_eq!((repaired.skills_added, repaired.letters_added), (0, 0));
    assert_eq!(repaired.before, repaired.after);
}

fn assert_dictionaries_hold_everything(client: &mut Client) {
    let missing =
        "select count(*) from (select distinct unnest(fight_skills) as s from public.warrior) as u
                    where not exists (select from public.warrior_skill where skill = s)";
    assert_eq!(client.query_one(missing, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn a_writer_that_idles_in_its_transaction_holds_up_nobody() {
    let database = fresh_database();
    let mut idle = database.runtime();
    let mut other = database.pooled();
    // A slot for the count is there, and the idle writer takes it.
    assert_eq!(insert(&mut other, &ids(1), "old", "1999-09-08"), 1);
    let mut held = idle.transaction().unwrap();
    held.batch_execute("insert into public.warrior (name, dob, fight_skills) values ('idle', '1999-09-09', '{new}')")
        .unwrap();
    // Same new skill, same new date, while the first is not committed; lock_timeout is 1 s.
    assert_eq!(insert(&mut other, &ids(3), "new", "1999-09-09"), 3);
    assert_eq!(count(&mut other), 4);
    held.commit().unwrap();
    assert_eq!(count(&mut other), 5);

    // Both listed it. That is allowed, found once, and mended.
    let found = other.query_typed(SEARCH, &[(&"new", Type::TEXT)]).unwrap();
    let distinct: BTreeSet<Uuid> = found.iter().map(|row| row.get(0)).collect();
    assert_eq!((found.len(), distinct.len()), (4, 4));
    let mut owner = database.owner();
    schema::recount(&mut owner, &mut |_| {}).unwrap();
    let listed = "select count(*) from public.warrior_skill where skill = 'new'";
    assert_eq!(owner.query_one(listed, &[]).unwrap().get::<_, i64>(0), 1);
}

#[test]
fn a_skill_too_long_for_an_index_entry_is_copied_counted_and_found() {
    let database = fresh_database();
    let mut client = database.owner();
    // Random, so that it does not compress.
    let long: String = (0..3000)
        .map(|_| Uuid::new_v4().simple().to_string())
        .collect();
    copy(&mut client, 2, &long);
    assert_eq!(count(&mut client), 2);
    for term in [&long[100..120], &long[50..400]] {
        let found = client.query_typed(SEARCH, &[(&term, Type::TEXT)]).unwrap();
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn recount_repairs_what_triggers_did_not_see_while_writers_go_on() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "alter table public.warrior disable trigger all;
             insert into public.warrior (name, dob, fight_skills)
             select 'replicated Ŕ', '2011-11-11', '{silent}' from generate_series(1, 500);
             alter table public.warrior enable trigger all",
        )
        .unwrap();
    assert_eq!(drift(&mut owner), 500);
    let repaired = thread::scope(|scope| {
        for _ in 0..3 {
            let mut client = database.pooled();
            scope.spawn(move || {
                for _ in 0..20 {
                    insert(&mut client, &ids(5), "seen", "2000-01-01");
                }
            });
        }
        schema::recount(&mut owner, &mut |_| {}).unwrap()
    });
    assert_eq!(repaired.after - repaired.before, 500);
    assert_eq!(repaired.skills_added, 1);
    assert!(
        repaired.letters_added > 0,
        "nobody but the silent rows has an ŕ"
    );
    assert_eq!((count(&mut owner), drift(&mut owner)), (800, 0));
    assert_eq!(
        owner
            .query_typed(SEARCH, &[(&"silent", Type::TEXT)])
            .unwrap()
            .len(),
        50
    );
}

#[test]
fn slots_are_as_many_as_writers_at_once() {
    let database = fresh_database();
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut client = database.pooled();
            scope.spawn(move || {
                for _ in 0..50 {
                    insert(&mut client, &ids(1), "judo", "2000-01-01");
                }
            });
        }
    });
    let slots = slots(&database);
    assert!((1..=4).contains(&slots), "{slots} slots for 4 writers");
}

fn slots(database: &Fresh) -> i64 {
    let sql = "select count(*) from public.warrior_count";
    database.owner().query_one(sql, &[]).unwrap().get(0)
}
