//! Functions that a newer program gives up: kept for the servers of the older one, and dropped by the next version.

use warrior_api::store::schema;

use crate::schema::applied::{EARLIER_NUMBER, apply, assert_complete, number};
use crate::support::fresh_database;

/// Servers of the version before go on beside the new schema.
#[test]
fn a_function_that_is_given_up_stays_until_the_next_number() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.warrior_gone() returns int language sql as 'select 1';
             update public.warrior_schema set functions = array_append(functions, 'public.warrior_gone()')",
        )
        .unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    // A second time, without another number; and a text that was edited meanwhile.
    for _ in 0..3 {
        apply(&mut owner).unwrap();
        owner.batch_execute("select public.warrior_gone()").unwrap();
        let edited = "update public.warrior_schema set digest = 'edited'";
        owner.batch_execute(edited).unwrap();
    }
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    apply(&mut owner).unwrap();
    let left = "select count(*) from pg_proc where proname = 'warrior_gone'";
    assert_eq!(number(&mut owner, left), 0);
    assert_complete(&database);
}

/// Servers of the last number whose apply has finished go on.
#[test]
fn a_function_that_an_unfinished_apply_gave_up_outlives_the_next_one() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.warrior_gone() returns int language sql as 'select 1';
             update public.warrior_schema
                set functions_number = functions_number - 1, number = number - 2, digest = 'older',
                    superseded = array['public.warrior_gone()']",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    assert_complete(&database);
    owner.batch_execute("select public.warrior_gone()").unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    apply(&mut owner).unwrap();
    let left = "select count(*) from pg_proc where proname = 'warrior_gone'";
    assert_eq!(number(&mut owner, left), 0);
}

/// No server of this version calls it.
#[test]
fn a_function_given_up_that_is_dropped_by_somebody_leaves_the_servers_ready() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "update public.warrior_schema
                set digest = 'older', superseded = array['public.warrior_gone()']",
        )
        .unwrap();
    let ready = include_str!("../../../src/store/sql/ready.sql");
    let mut pooled = database.pooled();
    let applied = schema::apply(&mut owner, &mut |step| {
        let version: Option<i32> = pooled.query_typed(ready, &[]).unwrap()[0].get(0);
        assert_eq!(version, Some(schema::current_version()), "{step}");
    });
    assert!(applied.unwrap().functions);
    assert_complete(&database);
}

/// Its signature alone tells that the trigger is ours.
#[test]
fn a_trigger_given_up_whose_function_belongs_to_another_role_is_dropped() {
    const TRIGGERS: &str = "select count(*) from pg_trigger where tgname = 'warrior_gone'";
    let database = fresh_database();
    let mut owner = database.owner();
    database
        .superuser()
        .batch_execute(
            "create function public.warrior_gone() returns trigger language plpgsql as 'begin return null; end';
             create trigger warrior_gone after update on public.warrior execute function public.warrior_gone();
             update public.warrior_schema set superseded = array['public.warrior_gone()'], triggers = 'older';
             -- Its owner may drop what is in it.
             alter schema public owner to postgres; grant create on schema public to warrior_owner",
        )
        .unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    assert_eq!(number(&mut owner, TRIGGERS), 1);
    let applied = apply(&mut owner).unwrap();
    assert!(
        applied.to_string().contains("belongs to role postgres"),
        "{applied}"
    );
    assert_eq!(number(&mut owner, TRIGGERS), 0);
    assert_complete(&database);
}

#[test]
fn a_function_of_an_older_program_that_belongs_to_another_role_is_named_once() {
    let database = fresh_database();
    let mut owner = database.owner();
    database
        .superuser()
        .batch_execute(
            "create function public.warrior_gone() returns int language sql as 'select 1';
             update public.warrior_schema set superseded = array['public.warrior_gone()'];
             -- Its owner may drop what is in it.
             alter schema public owner to postgres; grant create on schema public to warrior_owner",
        )
        .unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    let applied = apply(&mut owner).unwrap();
    let [note] = &applied.notes[..] else {
        panic!("{applied}")
    };
    assert!(note.contains("belongs to role postgres"), "{note}");
    let command = "drop function public.warrior_gone()";
    assert!(note.contains(command), "{note}");
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    assert_eq!(apply(&mut owner).unwrap().notes, [""; 0]);
    database.superuser().batch_execute(command).unwrap();
    assert_complete(&database);
}
