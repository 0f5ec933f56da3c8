//! One snapshot for all tiers: a search keeps rows by their place in the table, while others change and vacuum them.

use std::thread;

use postgres::Client;

use super::SEARCH;
use super::plain::{Hit, PLAIN, hits};
use crate::supervisor::eventually;
use crate::support::fresh_database;

/// Fewer than 50 of each tier, so that the tiers add up.
const TERMS: [&str; 4] = ["judo", "1990-01", "fan 1", "an"];

fn fill(owner: &mut Client) {
    owner
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills)
             select case when n % 20 = 0 then 'judo fan ' || n else 'other ' || n end,
                    date '1990-01-01' + n, array[case when n % 7 = 0 then 'judo' else 'sumo' end]
               from generate_series(1, 200) as n",
        )
        .unwrap();
}

/// New versions of rows on their own page, names and skills that move, and rows that go. Gives how many versions were of
/// the first kind.
fn change(client: &mut Client) -> i64 {
    client
        .batch_execute(
            "update public.warrior set created_at = now() where name < 'judo fan 16' or name like 'other 1%5';
             update public.warrior set name = 'renamed ' || name where name like '%20';
             update public.warrior set fight_skills = '{judo}' where name like 'other 1_';
             delete from public.warrior where name like '%4%'",
        )
        .unwrap();
    let of_its_page = "select n_tup_hot_upd from pg_stat_xact_user_tables where relid = 'public.warrior'::regclass";
    client.query_one(of_its_page, &[]).unwrap().get(0)
}

fn all(client: &mut Client, sql: &str) -> Vec<Vec<Hit>> {
    TERMS.map(|term| hits(client, sql, term)).into()
}

/// A volatile function would take a new snapshot for each of its statements.
#[test]
fn no_function_of_the_search_is_volatile() {
    let database = fresh_database();
    let called = "
        with recursive called as (
            select oid, prosrc from pg_proc where oid = 'public.warrior_search(text)'::regprocedure
            union
            select f.oid, f.prosrc
              from called
              join pg_proc as f on f.pronamespace = 'public'::regnamespace
                               and strpos(called.prosrc, 'public.' || f.proname || '(') > 0)
        select f.oid::regprocedure::text, f.provolatile = 'v'
          from called join pg_proc as f using (oid)";
    let rows = database.owner().query(called, &[]).unwrap();
    let found: Vec<(String, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for deep in [
        "warrior_sample(",
        "warrior_names_in_bucket(",
        "warrior_sampled_skills(",
    ] {
        assert!(
            found.iter().any(|(name, _)| name.starts_with(deep)),
            "{deep} was to be found among {found:?}"
        );
    }
    let volatile: Vec<_> = found.iter().filter(|(_, volatile)| *volatile).collect();
    assert!(volatile.is_empty(), "{volatile:?}");
}

#[test]
fn a_repeatable_read_finds_the_same_after_changes_and_a_vacuum() {
    let database = fresh_database();
    let (mut reader, mut writer) = (database.owner(), database.owner());
    fill(&mut writer);
    // Places that the vacuum below sets free, and new rows take.
    writer
        .batch_execute("delete from public.warrior where name like 'other 6%'")
        .unwrap();
    reader
        .batch_execute("begin isolation level repeatable read")
        .unwrap();
    let before = all(&mut reader, PLAIN);
    assert_eq!(all(&mut reader, SEARCH), before);

    writer.batch_execute("begin").unwrap();
    assert!(change(&mut writer) > 0);
    writer.batch_execute("commit").unwrap();
    writer.batch_execute("vacuum public.warrior").unwrap();
    fill(&mut writer);
    writer.batch_execute("vacuum public.warrior").unwrap();

    assert_eq!(all(&mut reader, PLAIN), before);
    assert_eq!(all(&mut reader, SEARCH), before);
    reader.batch_execute("commit").unwrap();
    let after = all(&mut reader, PLAIN);
    assert_eq!(all(&mut reader, SEARCH), after);
    for (term, (before, after)) in TERMS.iter().zip(before.iter().zip(&after)) {
        assert_ne!(before, after, "the change was to be seen by {term:?}");
    }
}

/// The change is committed between the tier of names and that of skills.
#[test]
fn a_search_finds_what_was_there_when_it_began() {
    let database = fresh_database();
    let (mut writer, mut searcher) = (database.owner(), database.owner());
    fill(&mut writer);
    let before = hits(&mut writer, PLAIN, "judo");
    thread::scope(|scope| {
        // Its lock ends with it, should the test fail.
        let mut writer = writer;
        writer
            .batch_execute("begin; lock table public.warrior_skill in access exclusive mode")
            .unwrap();
        let search = scope.spawn(move || hits(&mut searcher, SEARCH, "judo"));
        eventually("the search waits for the dictionary of skills", || {
            let waits = "select exists (select from pg_locks
                          where relation = 'public.warrior_skill'::regclass and not granted)";
            writer.query_one(waits, &[]).unwrap().get(0)
        });
        assert!(change(&mut writer) > 0);
        writer.batch_execute("commit").unwrap();
        assert_eq!(search.join().unwrap(), before);
    });
    let mut later = database.owner();
    let after = hits(&mut later, PLAIN, "judo");
    assert_ne!(after, before);
    assert_eq!(hits(&mut later, SEARCH, "judo"), after);
}
