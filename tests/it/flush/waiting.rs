//! What waits in the lists, and what searches have read of them, as the database says.

use warrior_api::store::schema;

use super::{ADD, flush, flushes, patient_warrior, pending, superuser, try_flush};
use crate::supervisor::Supervisor;
use crate::support::{fresh_database, fresh_database_on};

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
