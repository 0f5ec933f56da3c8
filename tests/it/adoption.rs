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
    ] {
        for notes in [&applied.notes, &status.notes] {
            let named = notes
                .iter()
                .any(|note| note.starts_with(name) && note.contains(part));
            assert!(named, "{name} is not among {notes:#?}");
        }
    }
}

#[test]
fn what_the_service_cannot_work_beside_is_refused_with_the_way_out() {
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
            "create function public.theirs() returns trigger language plpgsql as 'begin return null; end';
             alter trigger warrior_inserted on public.warrior rename to ours;
             create trigger warrior_inserted after insert on public.warrior execute function public.theirs()",
            "alter trigger warrior_inserted on public.warrior rename to warrior_inserted_old",
            "drop trigger warrior_inserted on public.warrior;
             alter trigger ours on public.warrior rename to warrior_inserted",
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
