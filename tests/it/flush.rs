//! The pending lists of the search indexes: emptied by one server for all, without a trace, and without an end to wait for.

mod servers;
mod waiting;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;

use crate::lock::TableLock;
use crate::supervisor::eventually;
use crate::support::{Ending, Fresh, fresh_database};

const FLUSH: &str = include_str!("../../src/store/sql/flush.sql");
const FLUSH_LIMIT: &str = include_str!("../../src/store/sql/flush_limit.sql");
const PENDING: &str = include_str!("../../src/store/sql/pending.sql");
/// Names of 88 random letters and digits; 500 of them fill a list of 800 kB.
const ADD: &str = "insert into public.warrior (name, dob, fight_skills)
                   select encode(sha512(random()::text::bytea), 'base64'), date '1990-01-01', '{judo}'
                     from generate_series(1, 500)";
/// A list that is not worth a flush: 64 kB, and the page that went over it.
const SHORT: i32 = 9;
/// kB of a portion.
const PORTION: i32 = 16 * 1024;

fn pending_pages(superuser: &mut Client) -> i32 {
    let sql = "select pending_pages from pgstatginindex('public.idx_warrior_name_parts')";
    superuser.query_one(sql, &[]).unwrap().get(0)
}

/// A session of a superuser who can see how long a list is.
fn superuser(database: &Fresh) -> Client {
    let mut superuser = database.superuser();
    // An autovacuum would empty the lists between two looks at them.
    superuser
        .batch_execute(
            "create extension pgstattuple; alter table public.warrior set (autovacuum_enabled = false)",
        )
        .unwrap();
    superuser
}

/// One flush, as the server's flusher does it; none while another session is at it.
fn try_flush(client: &mut Client, worth: i64) -> Result<Option<i64>, postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(FLUSH_LIMIT)?;
    let params: [(&(dyn postgres::types::ToSql + Sync), Type); 2] =
        [(&worth, Type::INT8), (&PORTION, Type::INT4)];
    let left = transaction.query_typed(FLUSH, &params)?[0].get(0);
    transaction.commit()?;
    Ok(left)
}

/// One flush; again where it ran out of its time, which keeps what was done, and where a vacuum is at it.
pub(crate) fn flush(client: &mut Client) {
    eventually("a flush ends within its time", || {
        match try_flush(client, 0) {
            Ok(left) => left.is_some(),
            Err(e) if e.code() == Some(&SqlState::QUERY_CANCELED) => false,
            Err(e) => panic!("{e:?}"),
        }
    });
}

/// The bytes that wait, and those that searches have read, after `read` more.
fn pending(client: &mut Client, read: i64) -> (i64, i64) {
    let row = &client.query_typed(PENDING, &[(&read, Type::INT8)]).unwrap()[0];
    (row.get(0), row.get(1))
}

fn flushes(client: &mut Client) -> i64 {
    let sql = "select coalesce(sum(flushes), 0)::bigint from public.warrior_flushed";
    client.query_one(sql, &[]).unwrap().get(0)
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
    let mut superuser = superuser(&database);
    let mut warrior = patient_warrior(&database);
    warrior.batch_execute(ADD).unwrap();
    assert!(pending_pages(&mut superuser) > SHORT);
    flush(&mut warrior);
    assert!(pending_pages(&mut superuser) <= SHORT);

    let traces = "select (select count(*) from public.warrior) - 500,
                         (select coalesce(sum(n), 0) from public.warrior_count)::bigint - 500,
                         (select count(*) from public.warrior_skill) - 1";
    let traces = superuser.query_one(traces, &[]).unwrap();
    for column in 0..3 {
        assert_eq!(traces.get::<_, i64>(column), 0, "column {column}");
    }
}

/// `gin_clean_pending_list` goes on until the list is empty: while others write, for ever. By the owner, whose
/// statements have no limit: how long one takes says how busy the machine is, and is not asked here.
#[test]
fn a_flush_ends_although_writers_go_on() {
    let database = fresh_database();
    let mut superuser = superuser(&database);
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
            owner.batch_execute("select public.warrior_flush(0, 16384)")?;
            flushed += 1;
        }
    }
    Ok(flushed)
}

#[test]
fn a_flush_does_not_wait_for_a_table_that_somebody_holds() {
    let database = fresh_database();
    let lock = TableLock::take(&database);
    // It gives the table up, and nobody takes the list for flushed.
    assert_eq!(try_flush(&mut database.pooled(), 0).unwrap(), None);
    lock.release();
    assert_eq!(flushes(&mut database.owner()), 0);
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
        "alter table public.warrior alter id drop default".to_owned(),
    ] {
        let database = fresh_database();
        let mut superuser = superuser(&database);
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

#[test]
fn a_flush_is_one_for_all_and_dies_with_its_session() {
    let database = fresh_database();
    database.owner().batch_execute(ADD).unwrap();
    let mut other = database.pooled();
    let mut running = database.pooled();
    running
        .batch_execute(
            "begin; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
             select public.warrior_flush(0, 16384)",
        )
        .unwrap();
    assert_eq!(try_flush(&mut other, 0).unwrap(), None);
    // As a server that is killed: its socket closes, and nothing is said.
    drop(running);
    eventually("the next one flushes", || {
        matches!(try_flush(&mut other, 0), Ok(Some(_)))
    });
    assert_eq!(
        flushes(&mut database.owner()),
        1,
        "the first one was undone"
    );
}
