//! What others have put on a table, as the schema commands name it, or refuse it.

use postgres::Client;
use warrior_api::store::schema::{self, SchemaError};

use crate::others::put_trigger;
use crate::support::{empty_database, fresh_database};

fn apply(client: &mut Client) -> Result<schema::Applied, SchemaError> {
    schema::apply(client, &mut |_| {})
}

#[test]
fn what_others_have_put_on_a_table_is_named_when_it_is_adopted() {
    let database = empty_database();
    let mut owner = database.owner();
    owner
        .batch_execute(include_str!("api/adopted.sql"))
        .unwrap();
    owner
        .batch_execute(
            "alter table public.warrior add constraint named check (name <> 'nobody');
             create unique index one_day on public.warrior (dob, name) where dob between '2030-01-01' and '9999-01-01';
             create rule no_delete as on delete to public.warrior do instead nothing;
             alter table public.warrior enable row level security;
             create policy not_x on public.warrior using (name <> 'x')",
        )
        .unwrap();
    put_trigger(&database, "before insert", "row", "return new;");
    let applied = apply(&mut owner).unwrap();
    let status = schema::status(&mut owner).unwrap();
    assert_eq!(status.faults, [""; 0]);
    for (name, part) in [
        ("the trigger theirs", "drop trigger theirs"),
        ("named", "CHECK"),
        ("one_day", "UNIQUE"),
        ("the rule no_delete", "ON DELETE"),
        ("the policy not_x", "drop policy not_x"),
        ("the trigger theirs", "where theirs keeps the copy out"),
        ("one_day", "where one_day keeps the copy out"),
    ] {
        for notes in [&applied.notes, &status.notes] {
            let named = notes
                .iter()
                .any(|note| note.starts_with(name) && note.contains(part));
            assert!(named, "{name} is not among {notes:#?}");
        }
    }
    // Its own row has passed it.
    let mut checks = status.notes.iter().filter(|note| note.starts_with("named"));
    assert!(checks.all(|note| !note.contains("keeps the copy out")));
}

#[test]
fn what_the_service_cannot_work_beside_is_refused_with_the_way_out() {
    const NAMESAKE: &str = "create function public.theirs() returns trigger language plpgsql as 'begin return null; end';
         alter trigger warrior_inserted on public.warrior rename to ours;
         create trigger warrior_inserted after insert on public.warrior execute function public.theirs()";
    const UNDO_NAMESAKE: &str = "drop trigger warrior_inserted on public.warrior;
         alter trigger ours on public.warrior rename to warrior_inserted";
    let cases = [
        (
            "create rule theirs as on insert to public.warrior do also select 1",
            "drop rule theirs on public.warrior",
            "drop rule theirs on public.warrior",
        ),
        (
            "alter table public.warrior enable row level security",
            "disable row level security",
            "alter table public.warrior disable row level security",
        ),
        (
            "alter table public.warrior enable row level security, force row level security;
             create policy every on public.warrior using (true) with check (true)",
            "alter table public.warrior no force row level security",
            "alter table public.warrior no force row level security, disable row level security; drop policy every on public.warrior",
        ),
        (
            NAMESAKE,
            "alter trigger warrior_inserted on public.warrior rename to warrior_inserted_old",
            UNDO_NAMESAKE,
        ),
        // Our own, once made, would take its place.
        (
            &format!("{NAMESAKE}; alter table public.warrior disable trigger warrior_inserted"),
            "alter trigger warrior_inserted on public.warrior rename to warrior_inserted_old",
            UNDO_NAMESAKE,
        ),
    ];
    for (put, way_out, undo) in cases {
        let database = fresh_database();
        let mut owner = database.owner();
        owner.batch_execute(put).unwrap();
        let error = apply(&mut owner).unwrap_err();
        assert!(matches!(error, SchemaError::Obstacles(_)), "{error}");
        assert!(error.to_string().contains(way_out), "{error}");
        let faults = schema::status(&mut owner).unwrap().faults.join("\n");
        assert!(faults.contains(way_out), "{faults}");
        owner.batch_execute(undo).unwrap();
        apply(&mut owner).unwrap();
        assert_eq!(schema::status(&mut owner).unwrap().faults, [""; 0]);
    }
}

/// A repair makes our triggers anew, and replaces nobody else's.
#[test]
fn a_repair_leaves_a_trigger_of_others_under_our_name() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute(
            "create function public.theirs() returns trigger language plpgsql as 'begin return null; end';
             drop trigger warrior_inserted on public.warrior;
             create trigger warrior_inserted after insert on public.warrior execute function public.theirs()",
        )
        .unwrap();
    let error = schema::recount(&mut owner, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SchemaError::Obstacles(_)), "{error}");
    let way_out = "alter trigger warrior_inserted on public.warrior rename to warrior_inserted_old";
    assert!(error.to_string().contains(way_out), "{error}");
    owner.batch_execute(way_out).unwrap();
    let repaired = schema::recount(&mut owner, &mut |_| {}).unwrap();
    assert_eq!(repaired.triggers_mended, ["warrior_inserted"]);
    let theirs =
        "select tgfoid::regproc::text from pg_trigger where tgname = 'warrior_inserted_old'";
    let theirs: String = owner.query_one(theirs, &[]).unwrap().get(0);
    assert_eq!(theirs, "theirs");
}

/// One question, asked twice: by every create in a function of the schema, and by the schema commands, which ask before
/// that function is there.
#[test]
fn creates_and_commands_agree_which_triggers_of_others_fire() {
    const PUT: &str = "create function public.theirs() returns trigger language plpgsql as 'begin return null; end';
                       create trigger theirs after insert on public.warrior execute function public.theirs();";
    const UNDER_OUR_NAME: &str = "drop trigger warrior_inserted on public.warrior;
                                  alter trigger theirs on public.warrior rename to warrior_inserted;";
    let cases = [
        (
            "alter table public.warrior enable always trigger theirs",
            true,
            Some("the trigger theirs runs at every create"),
        ),
        (
            "alter table public.warrior enable replica trigger theirs",
            true,
            Some("the trigger theirs runs at a create whose session has session_replication_role"),
        ),
        (
            "alter table public.warrior disable trigger theirs",
            false,
            None,
        ),
        (
            UNDER_OUR_NAME,
            true,
            Some("the trigger warrior_inserted has a name that the API's own needs"),
        ),
        (
            "drop trigger theirs on public.warrior;
             create trigger theirs after insert on public.warrior referencing new table as added_rows
                 for each statement execute function public.warrior_inserted()",
            true,
            Some("the trigger theirs runs at every create"),
        ),
        (
            "drop trigger theirs on public.warrior;
             create trigger theirs after delete on public.warrior execute function public.theirs()",
            false,
            Some("the trigger theirs never runs for the API"),
        ),
        ("drop trigger theirs on public.warrior", false, None),
    ];
    for (change, fires, said) in cases {
        let database = fresh_database();
        let mut owner = database.owner();
        owner.batch_execute(PUT).unwrap();
        owner.batch_execute(change).unwrap();
        let asked = "select public.warrior_has_other_triggers()";
        let asked: bool = database.runtime().query_one(asked, &[]).unwrap().get(0);
        assert_eq!(asked, fires, "{change}");
        let status = schema::status(&mut owner).unwrap();
        let lines = [status.faults, status.notes].concat();
        let line = lines.iter().find(|line| line.starts_with("the trigger "));
        match said {
            None => assert_eq!(lines, [""; 0], "{change}"),
            Some(said) => assert!(
                line.is_some_and(|line| line.starts_with(said)),
                "{change}: {lines:#?}"
            ),
        }
    }
}
