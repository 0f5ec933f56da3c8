//! Locks that `schema apply` asks for beside writers, an autovacuum and open transactions.

use warrior_api::store::schema;

use crate::schema::applied::{assert_complete, number};
use crate::supervisor::{Supervisor, eventually};
use crate::support::{empty_database, fresh_database, fresh_database_on};

#[test]
fn a_lock_that_others_hold_is_asked_for_again_while_writers_pass() {
    let database = empty_database();
    let mut owner = database.owner();
    owner.batch_execute(include_str!("../seed.sql")).unwrap();
    let mut holder = database.owner();
    let mut open = Some(holder.transaction().unwrap());
    open.as_mut()
        .unwrap()
        .batch_execute(
            "insert into warrior (name, dob, fight_skills) values ('open', '1990-01-01', '{judo}')",
        )
        .unwrap();
    let mut said = String::new();
    let applied = schema::apply(&mut owner, &mut |line| {
        if line.contains("is locked by") {
            said = line;
            if let Some(transaction) = open.take() {
                transaction.commit().unwrap();
            }
        }
    });
    assert!(
        said.contains("warrior_owner, idle in transaction"),
        "{said:?}"
    );
    assert!(applied.unwrap().writers_locked_out.as_millis() >= 500);
    assert_complete(&database);
}

/// PostgreSQL ends an autovacuum for whom it blocks, though only for one who waits longer than `deadlock_timeout`.
#[test]
fn an_autovacuum_that_never_ends_is_preempted() {
    const RUNS: &str =
        "select count(*) from pg_stat_progress_vacuum where relid = 'public.warrior'::regclass";
    let stack = Supervisor::throw_away();
    let database = fresh_database_on(&stack.endpoints);
    let mut superuser = database.superuser();
    superuser
        .batch_execute("alter system set autovacuum_naptime = '1s'")
        .unwrap();
    // Slow enough to outlast every attempt.
    superuser
        .batch_execute(
            "insert into public.warrior (name, dob, fight_skills)
             select 'n' || n, '1999-12-31', '{judo}' from generate_series(1, 60000) as n;
             drop trigger warrior_inserted on public.warrior;
             alter table public.warrior set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
             select pg_reload_conf()",
        )
        .unwrap();
    eventually("an autovacuum of the table runs", || {
        number(&mut superuser, RUNS) == 1
    });
    let mut said = Vec::new();
    schema::apply(&mut database.owner(), &mut |line| said.push(line)).unwrap();
    let named = |line: &String| line.contains("is locked by") && line.contains("an autovacuum");
    assert!(said.iter().any(named), "{said:#?}");
    assert_complete(&database);
}

/// What waits for others without a limit says for whom.
#[test]
fn a_build_of_an_index_names_who_holds_the_table() {
    let database = fresh_database();
    let mut owner = database.owner();
    owner
        .batch_execute("drop index public.idx_warrior_date_order")
        .unwrap();
    let mut holder = database.owner();
    holder
        .batch_execute("begin; lock table public.warrior in row exclusive mode")
        .unwrap();
    let mut said = String::new();
    let applied = schema::apply(&mut owner, &mut |line| {
        if line.starts_with("building the index") {
            said = line;
            holder.batch_execute("commit").unwrap();
        }
    });
    applied.unwrap();
    assert!(
        said.contains("(role warrior_owner, idle in transaction)"),
        "{said:?}"
    );
    assert_complete(&database);
}
