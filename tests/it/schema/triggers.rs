//! Triggers and the fill: steps of each apply, so that another definition reaches a database that is there.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use warrior_api::store::schema;

use crate::schema::applied::{apply, assert_complete, number};
use crate::support::{empty_database, fresh_database};

const TRIGGER: &str = "select count(*) from pg_trigger where tgname = 'warrior_inserted' and tgnewtable = 'added_rows'";

#[test]
fn another_definition_of_a_trigger_reaches_a_database_that_is_there() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create or replace function public.warrior_inserted() returns trigger language plpgsql security definer
             as 'begin return null; end';
             create or replace trigger warrior_inserted after insert on public.warrior
                 referencing new table as rows_of_older for each statement execute function public.warrior_inserted();
             alter table public.warrior enable always trigger warrior_inserted;
             insert into public.warrior (name, dob, fight_skills) values ('n', '1999-12-31', '{judo}');
             update public.warrior_schema set digest = 'older', triggers = 'older'",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    assert_eq!(number(&mut owner, TRIGGER), 1);
    assert_complete(&database);
    // The row that no newer trigger saw.
    assert_eq!(schema::status(&mut owner).unwrap().faults, [""; 0]);
}

/// Ours by the version record, and not by its name alone.
#[test]
fn a_trigger_that_is_given_up_is_dropped_and_one_of_others_stays() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.warrior_gone() returns trigger language plpgsql as 'begin return null; end';
             create function public.warrior_theirs() returns trigger language plpgsql as 'begin return null; end';
             create trigger warrior_gone after update on public.warrior execute function public.warrior_gone();
             create trigger theirs after update on public.warrior execute function public.warrior_gone();
             create trigger warrior_theirs after update on public.warrior execute function public.warrior_theirs();
             update public.warrior_schema
                set digest = 'older', triggers = 'older', functions = array_append(functions, 'public.warrior_gone()')",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    let left = "select string_agg(tgname, ' ' order by tgname) from pg_trigger
                 where tgrelid = 'public.warrior'::regclass and not tgisinternal";
    let left: String = owner.query_one(left, &[]).unwrap().get(0);
    assert_eq!(
        left,
        "theirs warrior_deleted warrior_inserted warrior_theirs warrior_truncated warrior_updated"
    );
    assert_complete(&database);
}

#[test]
fn a_missing_trigger_is_created_and_what_it_missed_is_filled_in() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "drop trigger warrior_inserted on public.warrior;
             insert into public.warrior (name, dob, fight_skills) values ('n', '1999-12-31', '{judo}')",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    assert_eq!(number(&mut owner, TRIGGER), 1);
    assert_eq!(schema::status(&mut owner).unwrap().faults, [""; 0]);
}

#[test]
fn a_fill_that_was_killed_is_pending_and_done_again() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute("update public.warrior_schema set filled = null, number = null")
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    assert!(status.to_string().contains("half applied"), "{status}");
    assert!(status.to_string().contains("are not filled"), "{status}");
    apply(&mut owner).unwrap();
    assert_complete(&database);
}

#[test]
fn an_apply_that_was_killed_before_its_last_step_is_pending() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute("update public.warrior_schema set number = null")
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    assert_eq!(status.pending, ["the last apply has not finished"]);
    apply(&mut owner).unwrap();
    assert_complete(&database);
}

/// A repair that waited inside a statement would keep a snapshot that the index waits for: a deadlock.
#[test]
fn a_recount_waits_for_an_apply_that_builds_an_index() {
    let database = empty_database();
    let mut owner = database.owner();
    apply(&mut owner).unwrap();
    owner
        .batch_execute("drop index public.idx_warrior_date_order")
        .unwrap();
    let mut repairing = Some(database.owner());
    let (said, heard) = mpsc::sync_channel(100);
    let repaired = thread::scope(|scope| {
        // Its lock ends with it, should the test fail.
        let mut owner = owner;
        let mut repair = None;
        let applied = schema::apply(&mut owner, &mut |step| {
            let builds = step.starts_with("building the index");
            if let Some(mut client) = repairing.take_if(|_| builds) {
                let said = said.clone();
                repair = Some(scope.spawn(move || {
                    schema::recount(&mut client, &mut |line| said.send(line).unwrap())
                }));
                let line = heard.recv_timeout(Duration::from_secs(120)).unwrap();
                assert!(
                    line.starts_with("waiting for another schema command"),
                    "{line}"
                );
            }
        });
        applied.unwrap();
        repair.expect("an index was built").join().unwrap()
    });
    repaired.unwrap();
    assert_complete(&database);
}
