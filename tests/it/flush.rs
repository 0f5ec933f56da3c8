//! The pending lists of the search indexes: emptied by one server for all, without a trace, and without an end to wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;
use warrior_api::store::schema;

use crate::lock::TableLock;
use crate::server::TestServer;
use crate::supervisor::{Supervisor, eventually};
use crate::support::{Ending, Fresh, fresh_database, fresh_database_on};

const FLUSH: &str = include_str!("../../src/store/sql/flush.sql");
const FLUSH_LIMIT: &str = include_str!("../../src/store/sql/flush_limit.sql");
const PENDING: &str = include_str!("../../src/store/sql/pending.sql");
/// Names of 88 random letters and digits; 500 of them fill a list of 800 kB.
const ADD: &str = "insert into public.warrior (name, dob, fight_skills)
                   select encode(sha512(random()::text::bytea), 'base64'), date '1990-01-01', '{judo}'
                     from generate_series(1, 500)";
/// A list that is not worth a flush: 64 kB, and the page that went over it.
const SHORT: i32 = 9;
/// Bytes that a server flushes whether anybody searches or not, as in `store/postgres/backlog.rs`.
const WORTH: i64 = 18 * 1024 * 1024;
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

#[test]
fn what_waits_is_what_every_writer_added_since_the_last_flush() {
    let database = fresh_database();
    let mut owner = database.owner();
    let mut warrior = patient_warrior(&database);
    assert_eq!(pending(&mut warrior, 0), (0, 0));
    owner.batch_execute(ADD).unwrap();
    let (waiting, _) = pending(&mut warrior, 0);
    warrior.batch_execute(ADD).unwrap();
    assert_eq!(pending(&mut warrior, 0).0, 2 * waiting);
    flush(&mut warrior);
    assert_eq!(pending(&mut warrior, 0), (0, 0));
    assert_eq!(flushes(&mut owner), 1);
    // Of two who found the same list too long, the second one flushes nothing.
    assert_eq!(try_flush(&mut warrior, waiting).unwrap(), Some(0));
    assert_eq!(flushes(&mut owner), 1);

    // What is undone was not added, a slot that is merged is not lost, and a table that is emptied has nothing.
    owner
        .batch_execute(&format!("begin; {ADD}; rollback; {ADD}"))
        .unwrap();
    assert_eq!(pending(&mut warrior, 0).0, waiting);
    schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert_eq!(pending(&mut warrior, 0).0, waiting);
    owner.batch_execute("truncate public.warrior").unwrap();
    assert_eq!(pending(&mut warrior, 0), (0, 0));
    owner.batch_execute(ADD).unwrap();
    assert_eq!(pending(&mut warrior, 0).0, waiting);
}

#[test]
fn what_searches_have_read_is_summed_until_the_next_flush() {
    let database = fresh_database();
    let mut one = database.pooled();
    let mut other = database.pooled();
    flush(&mut one);
    assert_eq!(pending(&mut one, 5).1, 5);
    assert_eq!(pending(&mut other, 7).1, 12);
    flush(&mut one);
    assert_eq!(pending(&mut one, 0).1, 0);
}

#[test]
fn what_searches_have_read_counts_before_the_first_flush_and_after_a_truncate() {
    let database = fresh_database();
    let mut superuser = superuser(&database);
    superuser.batch_execute(ADD).unwrap();
    for _ in 0..2 {
        assert_eq!(flushes(&mut superuser), 0);
        pending(&mut superuser, 3);
        let (waiting, read) = pending(&mut superuser, 4);
        assert_eq!(read, 7);
        assert!(waiting > 0, "{waiting}");
        superuser.batch_execute("truncate public.warrior").unwrap();
        superuser.batch_execute(ADD).unwrap();
    }
}

/// The lists as they are told: an entry of a trigram for each letter, and one of each skill. As long as they really are to
/// a quarter, for short names as for long ones.
#[test]
fn the_bytes_that_wait_are_those_of_the_lists() {
    let database = fresh_database();
    let mut superuser = superuser(&database);
    let mut warrior = patient_warrior(&database);
    for name in [
        "left(md5(n::text), 8)",
        "encode(sha512(n::text::bytea), 'base64')",
    ] {
        flush(&mut warrior);
        let add = format!(
            "insert into public.warrior (name, dob, fight_skills)
             select {name}, date '1990-01-01', array['judo', 'sambo ' || n % 20, 'tai chi ' || n % 30]
               from generate_series(1, 2000) as n"
        );
        warrior.batch_execute(&add).unwrap();
        let real = "select sum(pending_pages)::bigint * 8192
                      from unnest(array['idx_warrior_name_parts', 'idx_warrior_skill_keys']) as name,
                           pgstatginindex(name::regclass)";
        let real: i64 = superuser.query_one(real, &[]).unwrap().get(0);
        let told = pending(&mut warrior, 0).0;
        assert!((told - real).abs() * 4 <= real, "{told} for {real}");
    }
}

/// Servers that find the same list worth a flush, filled by somebody else.
#[test]
fn servers_share_one_flush_of_what_others_have_added() {
    let database = fresh_database();
    let mut superuser = superuser(&database);
    let mut owner = database.owner();
    let servers: Vec<TestServer> = (0..3)
        .map(|_| TestServer::start(&database.pooled_login()))
        .collect();
    for turn in 1..=2 {
        owner.batch_execute(ADD).unwrap();
        eventually("a server flushes", || flushes(&mut owner) == turn);
        assert!(pending_pages(&mut superuser) <= SHORT);
    }
    drop(servers);
    assert_eq!(flushes(&mut owner), 2);
}

/// Searches beside it would keep a slow flush from ever ending. Where the table is emptied, there is none to be done.
#[test]
fn searches_are_shed_until_a_flush_that_was_cut_off_is_done() {
    for mend in [
        "drop trigger slow on public.warrior",
        "truncate public.warrior",
    ] {
        let database = fresh_database();
        let (mut owner, mut warrior) = (database.owner(), patient_warrior(&database));
        while pending(&mut warrior, 0).0 < WORTH {
            warrior.batch_execute(ADD).unwrap();
        }
        owner
            .batch_execute(
                "create function public.slow() returns trigger language plpgsql as $$ begin
                     if current_setting('gin_pending_list_limit') = '64kB' then perform pg_sleep(60); end if;
                     return new;
                 end $$;
                 create trigger slow before insert on public.warrior for each row execute function public.slow()",
            )
            .unwrap();
        let server = TestServer::start(&database.pooled_login());
        server.await_ready();
        eventually("a search is shed", || match server.find("judo") {
            answer if answer.status == 200 => false,
            answer => {
                let problem = answer.problem(503, "overloaded");
                problem["detail"].as_str().unwrap().contains("upkeep")
            }
        });
        assert_eq!(flushes(&mut owner), 0);
        owner.batch_execute(mend).unwrap();
        eventually("all searches are answered", || {
            (0..32).all(|_| server.find("judo").status == 200)
        });
    }
}

#[test]
fn a_restart_of_the_database_loses_no_count() {
    let mut stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    database.owner().batch_execute(ADD).unwrap();
    flush(&mut database.owner());
    database.owner().batch_execute(ADD).unwrap();
    let waiting = pending(&mut database.owner(), 3);
    stack.command("stop postgres");
    stack.command("start postgres");
    assert_eq!(pending(&mut database.owner(), 0), waiting);
}

/// A standby, too, is asked what waits.
#[test]
fn a_database_that_is_read_only_has_nothing_to_flush() {
    let database = fresh_database();
    let mut warrior = patient_warrior(&database);
    warrior.batch_execute(ADD).unwrap();
    assert!(pending(&mut warrior, 0).0 > 0);
    warrior
        .batch_execute("set default_transaction_read_only = on")
        .unwrap();
    assert_eq!(pending(&mut warrior, 1), (0, 0));
}

/// Who empties the count by hand, and repairs it, has all that comes then flushed.
#[test]
fn a_sum_that_falls_waits_as_a_whole() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner.batch_execute(&format!("{ADD}; {ADD}")).unwrap();
    flush(&mut owner);
    owner
        .batch_execute("delete from public.warrior_count")
        .unwrap();
    schema::recount(&mut owner, &mut |_| {}).unwrap();
    owner.batch_execute(ADD).unwrap();
    assert!(pending(&mut owner, 0).0 > 0);
}
