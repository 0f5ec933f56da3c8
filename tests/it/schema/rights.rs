//! Least privilege: what the role that serves may do.

use postgres::error::SqlState;

use crate::flush::flush;
use crate::support::{fresh_database, log_in};

#[test]
fn the_api_role_may_read_and_add_and_nothing_else() {
    let database = fresh_database();
    // What it says of the database itself is not copied from a template.
    let roles =
        include_str!("../../../postgres-conf/roles.sql").replace("\\set ON_ERROR_STOP on", "");
    database.superuser().batch_execute(&roles).unwrap();
    let mut warrior = log_in(&database.pooled_login()).unwrap();
    let denied = [
        "delete from public.warrior",
        "update public.warrior set name = 'x'",
        "truncate public.warrior",
        "drop table public.warrior",
        "alter table public.warrior add column x int",
        "create table public.x (n int)",
        "create temp table x (n int)",
        "create schema x",
        "create function public.x() returns int language sql as 'select 1'",
        "update public.warrior_count set n = 0",
        "update public.warrior_flushed set list_bytes = 0",
        "insert into public.warrior_skill values ('x')",
        "insert into public.refinery_schema_history values (99, 'x', 'x', 'x')",
        "update public.warrior_schema set number = 99",
        "select public.warrior_recount()",
        "select public.warrior_count_add(1, 1)",
        "select public.warrior_list('{x}')",
        "copy public.warrior to program 'true'",
        "copy public.warrior to '/tmp/x'",
        "select pg_read_file('postgresql.conf')",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warrior_owner'",
        "create role x",
        "set role warrior_owner",
        "alter system set work_mem = '1GB'",
    ];
    let mut owner = database.owner();
    owner.batch_execute("select 1").unwrap();
    for sql in denied {
        let error = warrior.batch_execute(sql).expect_err(sql);
        assert_eq!(
            error.code(),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}: {error:?}"
        );
    }
    let limits = "select current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' '
                         || current_setting('idle_in_transaction_session_timeout') || ' '
                         || current_setting('search_path') || ' ' || current_setting('gin_pending_list_limit')";
    let limits: String = warrior.query_typed(limits, &[]).unwrap()[0].get(0);
    assert_eq!(limits, "2s 1s 5s public, pg_temp 64MB");
    flush(&mut warrior);
}
