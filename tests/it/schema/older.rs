//! Functions of an older program: replaced beside clients, whatever they gave or took, and their rights kept.

use std::thread;

use postgres::Client;
use warrior_api::store::schema::{self, SchemaError};

use crate::schema::applied::{EARLIER_NUMBER, apply, assert_complete, number};
use crate::support::{Fresh, fresh_database};

/// Whether a role may call a function.
fn may(client: &mut Client, role: &str, signature: &str) -> bool {
    let sql = "select has_function_privilege($1, $2, 'execute')";
    client.query_one(sql, &[&role, &signature]).unwrap().get(0)
}

fn another_role(database: &Fresh) -> String {
    let role = format!("{}_second", database.name());
    let create = format!("create role {role}");
    database.superuser().batch_execute(&create).unwrap();
    role
}

#[test]
fn what_an_older_program_declared_otherwise_or_alone_is_dropped_and_strangers_overloads_stay() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "drop function public.warrior_recount();
             create function public.warrior_recount(out rows bigint) language sql as 'select 1::bigint';
             create function public.warrior_flush() returns bigint language sql as 'select 1::bigint';
             create function public.warrior_gone() returns int language sql as 'select 1';
             create function public.warrior_of_others() returns int language sql as 'select 1';
             create function public.warrior_search(term text, page int) returns int language sql as 'select 1';
             create function public.warrior_inserted(of_others int) returns int language sql as 'select 1';
             create view public.of_others as select public.warrior_gone();
             update public.warrior_schema
                set superseded = array['public.warrior_flush()', 'public.warrior_gone()']",
        )
        .unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    let there = |client: &mut Client, signature: &str| {
        number(
            client,
            &format!("select (to_regprocedure('public.{signature}') is not null)::int::bigint"),
        )
    };
    let applied = apply(&mut owner).unwrap();
    let [note] = &applied.notes[..] else {
        panic!("{applied}")
    };
    assert!(
        note.contains("warrior_gone") && note.contains("view of_others"),
        "{note}"
    );
    assert!(!note.contains("CASCADE"), "{note}");
    for (signature, expected) in [
        ("warrior_gone()", 1),
        ("warrior_of_others()", 1),
        ("warrior_search(text, int)", 1),
        ("warrior_inserted(int)", 1),
        ("warrior_flush()", 0),
        ("warrior_flush(bigint, int)", 1),
    ] {
        assert_eq!(there(&mut owner, signature), expected, "{signature}");
    }
    owner.batch_execute("drop view public.of_others").unwrap();
    owner.batch_execute(EARLIER_NUMBER).unwrap();
    assert!(apply(&mut owner).unwrap().notes.is_empty());
    assert_eq!(there(&mut owner, "warrior_gone()"), 0);
    assert_complete(&database);
    let repaired = schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert_eq!(repaired.after, 0);
    let others: bool = owner
        .query_one("select public.warrior_has_other_triggers()", &[])
        .unwrap()
        .get(0);
    assert!(!others, "the API's own trigger is taken for one of others");
}

#[test]
fn another_result_drops_the_function_of_the_last_version_and_no_overload_of_an_older_one() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "drop function public.warrior_recount();
             create function public.warrior_recount(out rows bigint) language sql as 'select 1::bigint';
             create function public.warrior_recount(rows bigint) returns bigint language sql as 'select rows';
             update public.warrior_schema
                set digest = 'older', superseded = array['public.warrior_recount(bigint)']",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    let still = "select public.warrior_recount(4711::bigint)";
    assert_eq!(number(&mut owner, still), 4711);
    assert_complete(&database);
    // One that is itself in the way.
    owner
        .batch_execute(
            "drop function public.warrior_recount();
             create function public.warrior_recount(out rows bigint) language sql as 'select 1::bigint';
             update public.warrior_schema
                set digest = 'older', functions = array_remove(functions, 'public.warrior_recount()'),
                    superseded = array['public.warrior_recount()']",
        )
        .unwrap();
    apply(&mut owner).unwrap();
    assert_complete(&database);
}

#[test]
fn a_view_on_a_function_whose_result_changed_stops_the_apply_and_is_kept() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "drop function public.warrior_recount();
             create function public.warrior_recount(out rows bigint) language sql as 'select 1::bigint';
             create view public.of_others as select public.warrior_recount();
             update public.warrior_schema set digest = 'older'",
        )
        .unwrap();
    let error = apply(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::Refused { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("view of_others depends on function"),
        "{error}"
    );
    assert!(!error.contains("CASCADE"), "{error}");
    owner
        .batch_execute("select * from public.of_others")
        .unwrap();
}

#[test]
fn rights_of_other_roles_outlive_another_signature_and_another_result() {
    let database = fresh_database();
    let mut owner = database.owner();
    let role = another_role(&database);
    owner
        .batch_execute(&format!(
            "drop function public.warrior_recount();
             create function public.warrior_recount(out rows bigint) language sql as 'select 1::bigint';
             drop function public.warrior_drift(bigint);
             create function public.warrior_drift(rows integer) returns integer language sql as 'select rows';
             revoke execute on function public.warrior_recount(), public.warrior_drift(integer) from public;
             grant execute on function public.warrior_recount(), public.warrior_drift(integer) to {role};
             update public.warrior_schema
                set digest = 'older', functions = array_append(functions, 'public.warrior_drift(integer)')"
        ))
        .unwrap();
    apply(&mut owner).unwrap();
    for signature in ["public.warrior_recount()", "public.warrior_drift(bigint)"] {
        assert!(may(&mut owner, &role, signature), "{signature}");
        assert!(
            !may(&mut owner, "warrior_monitor", signature),
            "{signature}"
        );
    }
    assert!(may(&mut owner, "warrior", "public.warrior_drift(bigint)"));
}

/// The older trigger calls an overload that the newer program no longer declares, and is under way meanwhile.
#[test]
fn a_statement_under_way_goes_on_with_the_functions_it_began_with() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.warrior_count_add(change bigint) returns void language plpgsql
             security definer as $$ begin perform public.warrior_count_add(change, 0); end $$;
             create or replace function public.warrior_inserted() returns trigger language plpgsql security definer
             as $$
             begin
                 perform pg_advisory_xact_lock_shared(4711);
                 perform public.warrior_count_add((select count(*) from added_rows));
                 return null;
             end
             $$;
             update public.warrior_schema
                set digest = 'older', functions = array_append(functions, 'public.warrior_count_add(bigint)')",
        )
        .unwrap();
    let mut gate = database.owner();
    gate.batch_execute("select pg_advisory_lock(4711)").unwrap();
    let mut observer = database.superuser();
    let mut writer = database.runtime();
    thread::scope(|scope| {
        // Its lock ends with it, should the test fail.
        let mut gate = gate;
        let writing = scope.spawn(move || {
            let insert = "set lock_timeout = 0; set statement_timeout = 0;
                          insert into public.warrior (name, dob, fight_skills) values ('n', '1999-12-31', '{judo}')";
            writer.batch_execute(insert)
        });
        let waits = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted
                        and database = (select oid from pg_database where datname = current_database())";
        crate::supervisor::eventually("the writer is in its trigger", || {
            number(&mut observer, waits) == 1
        });
        let applied = apply(&mut owner);
        gate.batch_execute("select pg_advisory_unlock(4711)")
            .unwrap();
        applied.unwrap();
        writing.join().unwrap().unwrap();
    });
    let count = include_str!("../../../src/store/sql/count.sql");
    assert_eq!(number(&mut owner, count), 1);
    assert_complete(&database);
}
