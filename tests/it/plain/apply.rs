//! `schema apply --plain`, and what the other commands say to its database.

use std::process::{Command, Output};

use postgres::Client;
use postgres::error::SqlState;
use warrior_api::config::SecretSource;
use warrior_api::store::schema::{self, SchemaError};

use crate::supervisor::WARRIOR_API;
use crate::support::{Fresh, apply_plain, empty_database, fresh_database, plain_database};

const INDEXES: [&str; 4] = [
    "idx_warrior_plain_order",
    "idx_warrior_plain_names",
    "idx_warrior_plain_dates",
    "idx_warrior_plain_skills",
];

/// `warrior-api schema`, as the owner.
fn program(database: &Fresh, arguments: &[&str]) -> Output {
    let login = database.owner_login();
    let password = match &login.password {
        Some(SecretSource::File(path)) => path.clone(),
        other => panic!("the stack keeps its passwords in files, not {other:?}"),
    };
    Command::new(WARRIOR_API)
        .env_clear()
        .env("POSTGRES_DIRECT_HOST", &login.host)
        .env("POSTGRES_DIRECT_PORT", login.port.to_string())
        .env("POSTGRES_DB", &login.dbname)
        .env("POSTGRES_OWNER", &login.user)
        .env("POSTGRES_OWNER_PASSWORD_FILE", password)
        .current_dir("/")
        .arg("schema")
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let (said, errors) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(said).into_owned() + &String::from_utf8_lossy(errors)
}

#[track_caller]
fn assert_current(client: &mut Client) {
    let status = schema::status(client).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    assert!(status.faults.is_empty(), "{status}");
    assert_eq!(status.applied, Some(schema::current_version()));
    let line = format!(
        "the database has plain schema version {0}, this program needs {0}",
        schema::current_version()
    );
    assert_eq!(status.to_string().lines().next(), Some(line.as_str()));
}

#[test]
fn makes_one_table_with_its_indexes_and_neither_triggers_nor_functions() {
    let database = empty_database();
    let mut owner = database.owner();
    let applied = apply_plain(&mut owner).unwrap();
    assert_eq!(applied.indexes, INDEXES);
    assert_eq!(
        applied.to_string().lines().next().unwrap(),
        format!("the plain schema has version {}", schema::current_version())
    );
    assert_current(&mut owner);
    let count =
        |owner: &mut Client, sql: &str| -> i64 { owner.query_one(sql, &[]).unwrap().get(0) };
    for none in [
        "select count(*) from pg_trigger where tgrelid = 'public.warrior'::regclass",
        "select count(*) from pg_proc where pronamespace = 'public'::regnamespace and proname like 'warrior%'",
    ] {
        assert_eq!(count(&mut owner, none), 0, "{none}");
    }
    // Once more changes nothing.
    let again = apply_plain(&mut owner).unwrap();
    assert!(again.indexes.is_empty(), "{again}");
    assert_current(&mut owner);
}

/// A kill may leave any of these behind.
#[test]
fn goes_on_after_a_kill() {
    for (left, pending) in [
        (
            "update public.warrior_plain set number = null",
            "has not finished",
        ),
        (
            "drop index public.idx_warrior_plain_names",
            "idx_warrior_plain_names is missing",
        ),
        (
            "update pg_index set indisvalid = false where indexrelid = 'public.idx_warrior_plain_dates'::regclass",
            "idx_warrior_plain_dates is not valid",
        ),
    ] {
        let database = plain_database();
        database.superuser().batch_execute(left).unwrap();
        let mut owner = database.owner();
        let status = schema::status(&mut owner).unwrap();
        assert!(
            status.pending.iter().any(|line| line.contains(pending)),
            "{left}: {status}"
        );
        assert!(
            status
                .to_string()
                .contains("run `warrior-api schema apply --plain`"),
            "{status}"
        );
        apply_plain(&mut owner).unwrap();
        assert_current(&mut owner);
    }
}

#[test]
fn no_apply_turns_one_schema_into_the_other_and_each_names_the_way() {
    let tuned = fresh_database();
    let error = apply_plain(&mut tuned.owner()).unwrap_err();
    assert!(matches!(error, SchemaError::IsTuned), "{error}");
    assert!(
        error.to_string().contains("run `warrior-api schema apply`"),
        "{error}"
    );
    let plain = plain_database();
    let error = schema::apply(&mut plain.owner(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, SchemaError::IsPlain), "{error}");
    assert!(
        error
            .to_string()
            .contains("run `warrior-api schema apply --plain`"),
        "{error}"
    );
    let error = schema::recount(&mut plain.owner(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, SchemaError::NothingKept), "{error}");
    let error = schema::begin_load(&mut plain.owner(), &mut |_| {}, &mut || true).unwrap_err();
    assert!(matches!(error, SchemaError::NoLoad), "{error}");
    // Neither was touched.
    assert_current(&mut plain.owner());
    let status = schema::status(&mut tuned.owner()).unwrap();
    assert!(
        status.pending.is_empty() && status.faults.is_empty(),
        "{status}"
    );
}

#[test]
fn refuses_a_table_that_is_there_one_that_was_changed_and_a_newer_schema() {
    let database = empty_database();
    let mut owner = database.owner();
    owner
        .batch_execute("create table public.warrior (id uuid primary key)")
        .unwrap();
    let error = apply_plain(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::InTheWay), "{error}");

    let changed = plain_database();
    let mut owner = changed.owner();
    owner
        .batch_execute("alter table public.warrior alter column dob drop not null")
        .unwrap();
    let error = apply_plain(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::Reshaped(_)), "{error}");
    let status = schema::status(&mut owner).unwrap();
    assert!(status.faults.contains(&error.to_string()), "{status}");

    let newer = plain_database();
    let mut owner = newer.owner();
    owner
        .batch_execute("update public.warrior_plain set number = number + 1")
        .unwrap();
    let error = apply_plain(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::Newer { .. }), "{error}");
    let status = schema::status(&mut owner).unwrap();
    assert_eq!(status.faults, [error.to_string()]);
}

/// PostgreSQL refuses `insert ... on conflict` beside such a rule, on either schema.
#[test]
fn names_what_others_have_put_on_the_table() {
    let database = plain_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.quiet() returns trigger language plpgsql as 'begin return new; end';
             create trigger quiet before insert on public.warrior for each row execute function public.quiet();
             create rule elsewhere as on insert to public.warrior where new.name = '' do instead nothing",
        )
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    let [fault] = &status.faults[..] else {
        panic!("{status}")
    };
    assert!(fault.contains("drop rule elsewhere"), "{status}");
    assert!(status.to_string().contains("trigger quiet"), "{status}");
    let error = apply_plain(&mut owner).unwrap_err();
    assert!(matches!(error, SchemaError::Obstacles(_)), "{error}");
    owner
        .batch_execute("drop rule elsewhere on public.warrior")
        .unwrap();
    let done = apply_plain(&mut owner).unwrap();
    assert!(done.to_string().contains("trigger quiet"), "{done}");
    assert_current(&mut owner);
}

/// The indexes hold every row only because of this.
#[test]
fn keeps_out_what_its_indexes_could_not_find() {
    let database = plain_database();
    let mut owner = database.owner();
    for row in [
        "'infinity', '{judo}'",
        "'0044-03-15 BC', '{judo}'",
        "'10000-01-01', '{judo}'",
        "'2000-01-01', '{{inner,deep},{more,still}}'",
        "'2000-01-01', '[0:1]={a,b}'",
        "'2000-01-01', array_fill('judo'::text, array[21])",
    ] {
        let insert =
            format!("insert into public.warrior (name, dob, fight_skills) values ('n', {row})");
        let error = owner.batch_execute(&insert).unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION), "{row}");
    }
    let kept = "insert into public.warrior (name, dob, fight_skills)
                values ('', '0001-01-01', '{}'), ('n', '9999-12-31', array_fill('judo'::text, array[20])),
                       ('holes', '2000-01-01', '{judo,NULL}')";
    owner.batch_execute(kept).unwrap();
}

#[test]
fn the_role_that_serves_may_read_and_add_and_nothing_else() {
    let database = plain_database();
    let mut runtime = database.runtime();
    runtime
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills) values ('n', '2000-01-01', '{judo}');
             select count(*) from public.warrior; select idempotency from public.warrior_secret;
             select number from public.warrior_plain",
        )
        .unwrap();
    for forbidden in [
        "update public.warrior set name = 'm'",
        "delete from public.warrior",
        "truncate public.warrior",
        "update public.warrior_secret set idempotency = 'x'",
        "update public.warrior_plain set number = 0",
        "create index on public.warrior (name)",
    ] {
        let error = runtime.batch_execute(forbidden).unwrap_err();
        assert_eq!(
            error.code(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            "{forbidden}"
        );
    }
    // What a restore or default privileges left open is closed again.
    let mut owner = database.owner();
    owner
        .batch_execute("grant select on public.warrior_secret to public")
        .unwrap();
    let status = schema::status(&mut owner).unwrap();
    assert_eq!(status.pending, ["every role may use public.warrior_secret"]);
    apply_plain(&mut owner).unwrap();
    assert_current(&mut owner);
}

#[test]
fn the_program_applies_prints_and_tells_its_status() {
    let database = empty_database();
    let applied = program(&database, &["apply", "--plain"]);
    assert!(applied.status.success(), "{}", said(&applied));
    let status = program(&database, &["status"]);
    assert!(status.status.success(), "{}", said(&status));
    assert!(
        said(&status).contains("plain schema version"),
        "{}",
        said(&status)
    );
    // Not Citus.
    let distributed = program(&database, &["apply", "--plain", "--distribute"]);
    assert!(!distributed.status.success());
    assert!(
        said(&distributed).contains("create extension citus"),
        "{}",
        said(&distributed)
    );
    let tuned = program(&database, &["apply"]);
    assert!(!tuned.status.success());
    assert!(
        said(&tuned).contains("schema apply --plain"),
        "{}",
        said(&tuned)
    );
    let useless = program(&database, &["apply", "--distribute"]);
    assert!(said(&useless).contains("--plain"), "{}", said(&useless));

    // What it prints, psql can run, and so can the shell of an engine without PL/pgSQL.
    let printed = program(&database, &["print", "--plain"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    for index in INDEXES {
        assert!(text.contains(index), "{text}");
    }
    let by_hand = empty_database();
    let mut owner = by_hand.owner();
    for statement in statements(&text) {
        owner
            .batch_execute(&statement)
            .unwrap_or_else(|e| panic!("{statement}: {e:?}"));
    }
    assert!(!text.contains("$$"), "{text}");
    assert_eq!(rights(&mut owner), rights(&mut database.owner()));
    assert_current(&mut owner);
}

/// Who may do what with the tables.
fn rights(client: &mut Client) -> Vec<String> {
    let sql = "select concat_ws(' ', relname, grantee::regrole, privilege_type) as given
                 from pg_class, aclexplode(relacl)
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                order by given";
    let rows = client.query(sql, &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The statements of a printed schema, but for that of another engine. An index cannot be built beside others.
fn statements(text: &str) -> Vec<String> {
    text.split("\n-- ==== ")
        .skip(1)
        .filter(|section| !section.contains("create_distributed_table"))
        .map(|section| section.split_once('\n').unwrap().1.to_owned())
        .collect()
}
