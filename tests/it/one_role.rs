//! Roles and privileges: one role for everything, as in the migration guide, and the rights of each.

use postgres::types::Type;
use warrior_api::store::schema::{self, SchemaError};

use crate::support::{Fresh, empty_database, fresh_database, log_in, log_in_directly};

/// The limits of a role, in all databases or in this one.
const LIMITS: &str = "select coalesce(string_agg(line, '; ' order by lower(line)), '')
      from pg_db_role_setting, unnest(setconfig) as line
     where setrole = (select oid from pg_roles where rolname = $1)
       and setdatabase = (select case when $2 then oid else 0::oid end from pg_database where datname = current_database())";

fn limits(database: &Fresh, role: &str, of_database: bool) -> String {
    let params = [
        (&role as &(dyn postgres::types::ToSql + Sync), Type::TEXT),
        (&of_database, Type::BOOL),
    ];
    database.superuser().query_typed(LIMITS, &params).unwrap()[0].get(0)
}

/// A role of this test's own, which is gone with the stack.
fn role(database: &Fresh, kind: &str) -> String {
    let name = format!("{}_{kind}", database.name());
    let sql = format!("create role {name} {kind} login password 'of the test'");
    database.superuser().batch_execute(&sql).unwrap();
    name
}

#[test]
fn one_role_owns_and_serves_and_gets_the_limits_of_roles_sql() {
    let database = empty_database();
    let one = role(&database, "superuser");
    let mut login = database.superuser_login();
    login.user.clone_from(&one);
    login.password = Some(warrior_api::config::SecretSource::Inline(
        warrior_api::config::Secret::new("of the test"),
    ));
    let mut client = log_in_directly(&login).unwrap();
    let applied = schema::apply_for(&mut client, &one, &mut |_| {}).unwrap();
    assert_eq!(applied.notes.len(), 1, "{applied}");
    assert!(
        applied.notes[0].contains("statement_timeout 2s"),
        "{applied}"
    );
    // roles.sql sets the limits of `warrior` in every database.
    assert_eq!(
        limits(&database, &one, true),
        limits(&database, "warrior", false)
    );
    let applied = schema::apply_for(&mut client, &one, &mut |_| {}).unwrap();
    assert!(applied.notes.is_empty(), "{applied}");
    let now = "select current_setting('search_path')";
    let now: String = log_in(&login).unwrap().query_one(now, &[]).unwrap().get(0);
    assert_eq!(now, "public, pg_temp");
}

#[test]
fn a_limit_that_an_operator_chose_stays() {
    let database = empty_database();
    let runtime = role(&database, "nosuperuser");
    let name = database.name();
    database
        .superuser()
        .batch_execute(&format!(
            "alter role {runtime} set statement_timeout = '30s';
             alter role {runtime} in database {name} set datestyle = 'ISO, DMY';
             alter database {name} set lock_timeout = '9s'"
        ))
        .unwrap();
    // The owner may not set limits of another role, and names who may.
    let applied = schema::apply_for(&mut database.owner(), &runtime, &mut |_| {}).unwrap();
    assert!(
        applied.notes[0].contains("as an administrator run"),
        "{applied}"
    );
    assert!(!applied.notes[0].contains("statement_timeout"), "{applied}");
    let mut superuser = log_in_directly(&database.superuser_login()).unwrap();
    let applied = schema::apply_for(&mut superuser, &runtime, &mut |_| {}).unwrap();
    for chosen in ["statement_timeout 2s", "lock_timeout", "DateStyle"] {
        assert!(!applied.notes[0].contains(chosen), "{applied}");
    }
    assert_eq!(limits(&database, &runtime, false), "statement_timeout=30s");
    assert!(limits(&database, &runtime, true).contains("DateStyle=ISO, DMY"));
}

#[test]
fn a_role_that_is_not_there_is_named_before_anything_is_done() {
    let database = empty_database();
    let refused = schema::apply_for(&mut database.owner(), "nobody_of_this_name", &mut |_| {});
    let error = refused.unwrap_err();
    assert!(matches!(&error, SchemaError::NoRole { .. }), "{error}");
    assert!(error.to_string().contains("roles.sql"), "{error}");
    let status = schema::status(&mut database.owner()).unwrap();
    assert_eq!(status.applied, None);
}

#[test]
fn the_secret_is_shown_to_the_api_and_to_nobody_else() {
    const SECRET: &str = include_str!("../../src/store/sql/secret.sql");
    let database = empty_database();
    let reader = role(&database, "nosuperuser");
    let defaults = format!("alter default privileges grant select on tables to public, {reader}");
    database.owner().batch_execute(&defaults).unwrap();
    schema::apply(&mut database.owner(), &mut |_| {}).unwrap();
    let shown: String = database.runtime().query_one(SECRET, &[]).unwrap().get(0);
    assert!(
        shown.len() == 64 && shown.chars().all(|c| c.is_ascii_hexdigit()),
        "{shown}"
    );
    schema::apply(&mut database.owner(), &mut |_| {}).unwrap();
    let again: String = database.runtime().query_one(SECRET, &[]).unwrap().get(0);
    assert_eq!(shown, again, "it is made once");
    let mut superuser = database.superuser();
    for other in [reader.as_str(), "warrior_monitor"] {
        superuser
            .batch_execute(&format!("set role {other}"))
            .unwrap();
        superuser
            .query("select n from public.warrior_count", &[])
            .unwrap();
        let error = superuser.query(SECRET, &[]).expect_err(other);
        assert!(
            error
                .as_db_error()
                .is_some_and(|e| e.code().code() == "42501"),
            "{error}"
        );
    }
    let other: String = fresh_database()
        .runtime()
        .query_one(SECRET, &[])
        .unwrap()
        .get(0);
    assert_ne!(shown, other, "each database has its own");
}

/// A hardened database: no role may call a function without a grant.
#[test]
fn the_api_may_call_what_it_needs_where_nobody_may_by_default() {
    const MAY_CALL: &str =
        "select array_agg(oid::regprocedure::text order by oid::regprocedure::text)
          from pg_proc
         where pronamespace = 'public'::regnamespace and proname like 'warrior%'
           and has_function_privilege('warrior', oid, 'execute')";
    let database = empty_database();
    let mut owner = database.owner();
    owner
        .batch_execute("alter default privileges revoke execute on functions from public")
        .unwrap();
    schema::apply(&mut owner, &mut |_| {}).unwrap();
    let may_call = |database: &Fresh| -> Vec<String> {
        database.runtime().query_one(MAY_CALL, &[]).unwrap().get(0)
    };
    assert_eq!(may_call(&database), may_call(&fresh_database()));
    let drift = "select sampled from public.warrior_drift(1000)";
    let sampled: i64 = database.runtime().query_one(drift, &[]).unwrap().get(0);
    assert_eq!(sampled, 0);

    // Roles that wrote to the table before still can.
    let other = role(&database, "nosuperuser");
    owner
        .batch_execute(&format!("grant insert on public.warrior to {other}"))
        .unwrap();
    database
        .superuser()
        .batch_execute(&format!(
            "set role {other}; insert into public.warrior (name, dob, fight_skills) values ('n', '1990-01-31', '{{judo}}')"
        ))
        .unwrap();
}

#[test]
fn row_level_security_is_judged_for_the_role_that_serves() {
    let database = fresh_database();
    let runtime = role(&database, "nosuperuser");
    let mut owner = database.owner();
    owner
        .batch_execute(
            "alter table public.warrior enable row level security;
             create policy theirs on public.warrior to warrior using (true)",
        )
        .unwrap();
    let error = schema::apply_for(&mut owner, &runtime, &mut |_| {}).unwrap_err();
    let sentence = format!("no policy lets the role {runtime} insert");
    assert!(error.to_string().contains(&sentence), "{error}");
    let faults = schema::status_for(&mut database.owner(), &runtime)
        .unwrap()
        .faults
        .join("\n");
    assert!(faults.contains(&sentence), "{faults}");
    assert_eq!(
        schema::status(&mut database.owner()).unwrap().faults,
        [""; 0]
    );

    // A repair reads as the owner and adds no warrior, so that neither this nor a rule is in its way.
    owner
        .batch_execute("create rule theirs as on insert to public.warrior do also select 1")
        .unwrap();
    schema::recount(&mut owner, &mut |_| {}).unwrap();
    owner
        .batch_execute("drop rule theirs on public.warrior")
        .unwrap();

    // The owner, where it serves, sees every row unless row level security is forced.
    let faults = |force: &str| {
        let sql = format!("alter table public.warrior {force} row level security");
        database.owner().batch_execute(&sql).unwrap();
        let status = schema::status_for(&mut database.owner(), "warrior_owner");
        status.unwrap().faults
    };
    assert_eq!(faults("no force"), [""; 0]);
    let forced = faults("force");
    assert!(
        forced
            .iter()
            .any(|fault| fault.contains("no force row level security"))
    );
    assert_eq!(forced.len(), 3, "{forced:#?}");
    let refused = schema::recount(&mut owner, &mut |_| {});
    assert!(
        matches!(refused, Err(SchemaError::Obstacles(_))),
        "{refused:?}"
    );
    // Whoever runs the command, the triggers run as the owner.
    let mut superuser = log_in_directly(&database.superuser_login()).unwrap();
    let error = schema::apply(&mut superuser, &mut |_| {}).unwrap_err();
    let sentence = "the role warrior_owner may not see every row";
    assert!(error.to_string().contains(sentence), "{error}");
}
