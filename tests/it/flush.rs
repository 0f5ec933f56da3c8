//! The pending lists of the search indexes: emptied without a trace, and without an end to wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use postgres::Client;
use postgres::error::SqlState;

use crate::lock::TableLock;
use crate::supervisor::eventually;
use crate::support::{Ending, Fresh, fresh_database};

const FLUSH: &str = include_str!("../../src/store/sql/flush.sql");
/// Names of 88 random letters and digits; 500 of them fill a list of 800 kB.
const ADD: &str = "insert into public.warrior (name, dob, fight_skills)
                   select encode(sha512(random()::text::bytea), 'base64'), date '1990-01-01', '{judo}'
                     from generate_series(1, 500)";
/// A list that is not worth a flush: 64 kB, and the page that went over it.
const SHORT: i32 = 9;

fn pending_pages(superuser: &mut Client) -> i32 {
    let sql = "select pending_pages from pgstatginindex('public.idx_warrior_name_parts')";
    superuser.query_one(sql, &[]).unwrap().get(0)
}

/// One flush, as the server's flusher does it: again where it ran out of its time, which keeps what was done.
fn flush(client: &mut Client) {
    eventually("a flush ends within its time", || {
        match client.batch_execute(FLUSH) {
            Ok(()) => true,
            Err(e) if e.code() == Some(&SqlState::QUERY_CANCELED) => false,
            Err(e) => panic!("{e:?}"),
        }
    });
}

/// As the API's role: 500 rows at once are no request, and on a busy machine take longer than one may.
fn patient_warrior(database: &Fresh) -> Client {
    let mut warrior = database.runtime();
    warrior.batch_execute("set statement_timeout = 0").unwrap();
    warrior
}

#[test]
fn a_flush_empties_the_list_and_leaves_no_row() {
    let database = fresh_database();
    let mut superuser = database.superuser();
    superuser
        .batch_execute("create extension pgstattuple")
        .unwrap();
    let mut warrior = patient_warrior(&database);
    warrior.batch_execute(ADD).unwrap();
    assert!(pending_pages(&mut superuser) > SHORT);
    flush(&mut warrior);
    assert!(pending_pages(&mut superuser) <= SHORT);

    let traces = "select (select count(*) from public.warrior) - 500,
                         (select coalesce(sum(n), 0) from public.warrior_count)::bigint - 500,
                         (select count(*) from public.warrior_skill) - 1,
                         (select count(*) from public.warrior_date) - 1";
    let traces = superuser.query_one(traces, &[]).unwrap();
    for column in 0..4 {
        assert_eq!(traces.get::<_, i64>(column), 0, "column {column}");
    }
}

/// `gin_clean_pending_list` goes on until the list is empty: while others write, for ever. By the owner, whose
/// statements have no limit: how long one takes says how busy the machine is, and is not asked here.
#[test]
fn a_flush_ends_although_writers_go_on() {
    let database = fresh_database();
    let mut superuser = database.superuser();
    superuser
        .batch_execute("create extension pgstattuple")
        .unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let ending = Ending(&ended);
        for _ in 0..2 {
            scope.spawn(|| {
                let mut writer = database.owner();
                while !ended.load(Ordering::Relaxed) {
                    writer.batch_execute(ADD).unwrap();
                }
            });
        }
        let outcome = flush_five_times(&mut database.owner(), &mut superuser);
        drop(ending);
        assert_eq!(
            outcome.expect("a flush ends by itself"),
            5,
            "the list stayed short"
        );
    });
}

/// Five flushes, each of a list that is worth one; at most half a minute.
fn flush_five_times(owner: &mut Client, superuser: &mut Client) -> Result<usize, postgres::Error> {
    let started = Instant::now();
    let mut flushed = 0;
    while flushed < 5 && started.elapsed().as_secs() < 30 {
        if pending_pages(superuser) > SHORT {
            owner.batch_execute("select public.warrior_flush()")?;
            flushed += 1;
        }
    }
    Ok(flushed)
}

#[test]
fn a_flush_does_not_wait_for_a_table_that_somebody_holds() {
    let database = fresh_database();
    let lock = TableLock::take(&database);
    flush(&mut database.pooled());
    lock.release();
}

/// A table that was there before may have no default for ids, and triggers of its own.
#[test]
fn a_flush_leaves_no_row_in_an_adopted_table() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute("alter table public.warrior alter id drop default")
        .unwrap();
    flush(&mut database.pooled());
    let louder = "create function public.louder() returns trigger language plpgsql
                  as $$ begin new.name := new.name || '!'; return new; end $$;
                  create trigger louder before insert on public.warrior
                  for each row execute function public.louder()";
    owner.batch_execute(louder).unwrap();
    flush(&mut database.pooled());
    let rows = "select count(*) from public.warrior";
    let rows: i64 = owner.query_one(rows, &[]).unwrap().get(0);
    assert_eq!(rows, 0);
}

/// An adopter's checks, unique constraints and triggers are met by a copy of a row that is there, or gone around.
#[test]
fn a_flush_empties_the_list_of_a_table_that_others_use_too() {
    let trigger = |body: &str| {
        format!(
            "create function public.theirs() returns trigger language plpgsql as $$ begin {body} end $$;
             create trigger theirs before insert on public.warrior for each row execute function public.theirs()"
        )
    };
    for theirs in [
        "alter table public.warrior add check (dob < '1999-01-01' and name <> 'flush')".to_owned(),
        "alter table public.warrior add unique (name)".to_owned(),
        trigger("raise exception 'no more'; return new;"),
        trigger(
            "if exists (select from public.warrior where name = new.name) then return null; end if; return new;",
        ),
        trigger("new.name := 'flush'; return new;"),
    ] {
        let database = fresh_database();
        let mut superuser = database.superuser();
        superuser
            .batch_execute("create extension pgstattuple")
            .unwrap();
        let mut warrior = patient_warrior(&database);
        warrior.batch_execute(ADD).unwrap();
        database.owner().batch_execute(&theirs).unwrap();
        assert!(pending_pages(&mut superuser) > SHORT);
        flush(&mut warrior);
        assert!(pending_pages(&mut superuser) <= SHORT, "{theirs}");
        let rows: i64 = superuser
            .query_one("select count(*) from public.warrior", &[])
            .unwrap()
            .get(0);
        assert_eq!(rows, 500, "{theirs}");
    }
}

/// Each of the two holds a connection of the pool, which many servers may share.
#[test]
fn one_flush_waits_for_another_and_a_third_does_not() {
    let database = fresh_database();
    let mut running = database.owner();
    let mut running = running.transaction().unwrap();
    running
        .batch_execute("select pg_advisory_xact_lock(33602666402246515)")
        .unwrap();
    let mut waiting = database.owner();
    let mut waiting = waiting.transaction().unwrap();
    waiting
        .batch_execute("select pg_advisory_lock(33602666402246516)")
        .unwrap();
    flush(&mut database.pooled());
}
