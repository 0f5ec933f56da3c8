//! Restores that lack a part: functions, privileges or owners; and functions that were changed since.

use postgres::types::Type;
use warrior_api::store::schema::{self, SchemaError};

use crate::flush::flush;
use crate::schema::applied::{SEARCH, apply, assert_complete, number};
use crate::support::fresh_database;

const ROW: &str = "insert into public.warrior (name, dob, fight_skills) values ('Žofie', '1931-05-06', '{sambo}')";
/// As `pg_dump -t 'public.warrior*'` leaves a database: the record of functions, and none of them.
const WITHOUT_FUNCTIONS: &str = "do $$
    declare f regprocedure;
    begin
        for f in select oid::regprocedure from pg_proc
                  where pronamespace = 'public'::regnamespace and proname like 'warrior%' loop
            execute format('drop function %s cascade', f);
        end loop;
    end $$;
    delete from public.warrior_count; delete from public.warrior_skill";

#[test]
fn functions_that_a_restore_left_out_are_created_again_and_the_server_is_not_ready_before() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner.batch_execute(ROW).unwrap();
    owner.batch_execute(WITHOUT_FUNCTIONS).unwrap();
    let ready = include_str!("../../../src/store/sql/ready.sql");
    let version: Option<i32> = database.pooled().query_typed(ready, &[]).unwrap()[0].get(0);
    assert_eq!(version, None);
    let status = schema::status(&mut owner).unwrap();
    for missing in [
        "public.warrior_flush(bigint, integer)",
        "public.warrior_skill_keys(text[])",
    ] {
        let line = format!("the function {missing} is missing");
        assert!(status.pending.contains(&line), "{status}");
    }
    let mut asked = 0;
    let mut pooled = database.pooled();
    let applied = schema::apply(&mut owner, &mut |step| {
        // Triggers, lists and indexes may be missing as long as the apply runs.
        let version: Option<i32> = pooled.query_typed(ready, &[]).unwrap()[0].get(0);
        assert_eq!(version, None, "{step}");
        asked += usize::from(step.starts_with("created the functions"));
    });
    assert!(applied.unwrap().functions);
    assert_eq!(asked, 1);
    let version: Option<i32> = pooled.query_typed(ready, &[]).unwrap()[0].get(0);
    assert_eq!(version, Some(schema::current_version()));
    assert_complete(&database);
    assert_eq!(schema::status(&mut owner).unwrap().faults, [""; 0]);
    let hits = owner
        .query_typed(SEARCH, &[(&"sambo", Type::TEXT)])
        .unwrap();
    assert_eq!(hits.len(), 1);
}

#[test]
fn a_recount_without_functions_says_what_to_run_first() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner.batch_execute(WITHOUT_FUNCTIONS).unwrap();
    let error = schema::recount(&mut owner, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SchemaError::Functions(_)), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("is missing; run `warrior-api schema apply`"),
        "{error}"
    );
    apply(&mut owner).unwrap();
    schema::recount(&mut owner, &mut |_| {}).unwrap();
}

#[test]
fn a_dropped_function_is_missed_by_status_and_created_by_apply() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute("drop function public.warrior_drift(bigint)")
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    let line = "the function public.warrior_drift(bigint) is missing";
    assert!(status.pending.contains(&line.to_owned()), "{status}");
    assert!(apply(&mut owner).unwrap().functions);
    assert_complete(&database);
}

/// A body of another program would make the entries of the index lie.
#[test]
fn the_function_under_an_index_is_left_alone_and_another_body_is_refused() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner.batch_execute(ROW).unwrap();
    // `create or replace` would reset the cost.
    owner
        .batch_execute(
            "alter function public.warrior_skill_keys(text[]) cost 4711;
             update public.warrior_schema set digest = 'another'",
        )
        .unwrap();
    assert!(apply(&mut owner).unwrap().functions);
    let cost = "select procost::bigint from pg_proc where proname = 'warrior_skill_keys'";
    assert_eq!(number(&mut owner, cost), 4711);

    owner
        .batch_execute(
            "create or replace function public.warrior_skill_keys(skills text[]) returns text[]
             language sql immutable strict parallel safe as 'select array[''x'']';
             update public.warrior_schema set digest = 'another'",
        )
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    assert!(
        status.faults[0].contains("idx_warrior_skill_keys"),
        "{status}"
    );
    let error = apply(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::IndexedFunction), "{error}");
    // As the sentence says.
    for sql in [
        "drop index concurrently if exists public.idx_warrior_skill_keys",
        "drop function public.warrior_skill_keys(text[])",
    ] {
        assert!(error.to_string().contains(sql), "{error}");
        owner.batch_execute(sql).unwrap();
    }
    apply(&mut owner).unwrap();
    assert_complete(&database);
    let hits = owner
        .query_typed(SEARCH, &[(&"sambo", Type::TEXT)])
        .unwrap();
    assert_eq!(hits.len(), 1);
}

#[test]
fn one_function_of_ours_stands_under_an_index() {
    let sql = "select string_agg(distinct p.proname, ', ')
                 from pg_depend as d
                 join pg_class as c on c.oid = d.objid and d.classid = 'pg_class'::regclass and c.relkind = 'i'
                 join pg_proc as p on p.oid = d.refobjid and d.refclassid = 'pg_proc'::regclass
                where p.proname like 'warrior%'";
    let found: String = fresh_database().owner().query_one(sql, &[]).unwrap().get(0);
    assert_eq!(found, "warrior_skill_keys");
}

#[test]
fn privileges_that_a_restore_left_out_are_missed_by_status_and_given_by_apply() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "do $$
             declare f regprocedure;
             begin
                 for f in select oid::regprocedure from pg_proc
                           where pronamespace = 'public'::regnamespace and proname like 'warrior%' loop
                     execute format('grant execute on function %s to public', f);
                     execute format('revoke execute on function %s from warrior', f);
                 end loop;
             end $$;
             grant select on public.warrior_secret to public;
             create function public.warrior_gone() returns int language sql security definer as 'select 1';
             update public.warrior_schema set superseded = array['public.warrior_gone()']",
        )
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    for name in [
        "public.warrior_count_add(bigint, bigint)",
        "public.warrior_gone()",
        "public.warrior_secret",
    ] {
        let line = format!("every role may use {name}");
        assert!(status.pending.contains(&line), "{status}");
    }
    apply(&mut owner).unwrap();
    assert_complete(&database);
    let open = "select count(*) from pg_proc as p, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
                 where p.proname like 'warrior%' and acl.grantee = 0 and (prosecdef or proname in ('warrior_recount', 'warrior_mend_triggers'))";
    assert_eq!(number(&mut owner, open), 0);
    let mut monitor = database.superuser();
    monitor.batch_execute("set role warrior_monitor").unwrap();
    assert!(
        monitor
            .batch_execute("select * from public.warrior_secret")
            .is_err()
    );
    flush(&mut database.runtime());
}

#[test]
fn parts_of_another_owner_are_named_with_the_commands_that_hand_them_over() {
    let database = fresh_database();
    let mut superuser = database.superuser();
    superuser
        .batch_execute(
            "alter table public.warrior owner to postgres; alter table public.warrior_schema owner to postgres;
             alter function public.warrior_flush(bigint, int) owner to postgres;
             create function public.warrior_flush(of_others int) returns int language sql as 'select 1'",
        )
        .unwrap();
    let mut owner = database.owner();
    for refused in [
        apply(&mut owner).map(drop),
        schema::status(&mut owner).map(drop),
        schema::recount(&mut owner, &mut |_| {}).map(drop),
    ] {
        let Err(SchemaError::NotOurs(commands)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(commands.len(), 3, "{commands:?}");
    }
    let Err(SchemaError::NotOurs(commands)) = apply(&mut owner) else {
        panic!("it belongs to another role");
    };
    superuser.batch_execute(&commands.join(" ")).unwrap();
    apply(&mut owner).unwrap();
    assert_complete(&database);
}
