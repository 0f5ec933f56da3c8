//! The table of breakages: what breaks a stack, under which name the doctor finds it, and whether the command that it gives
//! mends it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::thread;

use postgres::{CancelToken, NoTls};
use warrior_stack::DATABASE;

use super::{Patient, type_in};
use crate::supervisor::connect;

/// What breaks a stack.
enum Break {
    /// Statements of PostgreSQL's superuser.
    Sql(&'static [&'static str]),
    /// The same, for connections that PgBouncer opens from then on.
    SqlAndReconnect(&'static [&'static str]),
    /// A command on PgBouncer's console.
    Console(&'static str),
}

/// What mends it.
enum Mend {
    /// The command that the doctor gives.
    Command,
    /// Statements of PostgreSQL's superuser, where a person has to decide; the doctor's words must hold these.
    ByHand(&'static str, &'static [&'static str]),
}

use Break::{Console, Sql, SqlAndReconnect};
use Mend::{ByHand, Command};

fn assert_each_is_found_and_mended(cases: &[(&str, Break, Mend)]) {
    let patient = Patient::take();
    patient.sql(&["insert into public.warrior (name, dob, fight_skills) values ('Ana', '1990-01-31', '{judo}')"]);
    patient.finds(&[], "nothing yet");
    for (name, broken, mend) in cases {
        let after = match broken {
            Sql(statements) => {
                patient.sql(statements);
                statements.join("; ")
            }
            SqlAndReconnect(statements) => {
                patient.sql(statements);
                patient.console("reconnect");
                statements.join("; ")
            }
            Console(command) => {
                patient.console(command);
                (*command).to_owned()
            }
        };
        let found = patient.finds(&[name], &after);
        assert_eq!(found.status, 3, "{after}");
        match mend {
            Command => type_in(found.mend()),
            ByHand(words, statements) => {
                assert!(found.mend().contains(words), "{after}: {}", found.mend());
                patient.sql(statements);
                patient.console("reconnect");
            }
        }
        let mended = patient.finds(&[], &format!("{after}, mended by {}", found.mend()));
        assert_eq!(mended.status, 0, "{after}");
    }
}

#[test]
fn breakages_of_the_pooler() {
    assert_each_is_found_and_mended(&[
        (
            "pool-too-small",
            Console("set default_pool_size = 2"),
            Command,
        ),
        (
            "pooler-clients",
            Console("set max_client_conn = 20"),
            Command,
        ),
        ("pooler-mode", Console("set pool_mode = session"), Command),
        (
            "pooler-timeout",
            Console("set query_wait_timeout = 120"),
            Command,
        ),
        ("pooler-paused", Console("pause warrior_api"), Command),
        ("pooler-paused", Console("pause"), Command),
        ("pooler-paused", Console("disable warrior_api"), Command),
        ("pooler-open", Console("set auth_type = trust"), Command),
    ]);
}

#[test]
fn breakages_of_the_server_and_of_roles() {
    assert_each_is_found_and_mended(&[
        (
            "durability-off",
            Sql(&["alter system set fsync = off", "select pg_reload_conf()"]),
            Command,
        ),
        (
            "durability-off",
            SqlAndReconnect(&["alter role warrior set synchronous_commit = off"]),
            Command,
        ),
        (
            "search-limit",
            SqlAndReconnect(&["alter database warrior_api set gin_fuzzy_search_limit = 100"]),
            Command,
        ),
        (
            "statement-limits",
            SqlAndReconnect(&["alter role warrior reset statement_timeout"]),
            Command,
        ),
        (
            "database-read-only",
            SqlAndReconnect(&["alter database warrior_api set default_transaction_read_only = on"]),
            Command,
        ),
        (
            "autovacuum-off",
            Sql(&[
                "alter system set autovacuum = off",
                "select pg_reload_conf()",
            ]),
            Command,
        ),
        (
            "connections-too-few",
            Sql(&["alter role warrior connection limit 40"]),
            Command,
        ),
        (
            "role-rights",
            Sql(&["revoke insert on public.warrior from warrior"]),
            Command,
        ),
        (
            "rights-exposed",
            Sql(&["grant select on public.warrior_secret to public"]),
            Command,
        ),
        (
            "schema-open",
            Sql(&["grant create on schema public to public"]),
            Command,
        ),
        (
            "replication-slot",
            Sql(&[
                "alter system set max_wal_size = '32MB'",
                "select pg_reload_conf()",
                "select pg_create_physical_replication_slot('left_over', true)",
                "select pg_logical_emit_message(false, 'doctor', repeat('x', 100000000))",
            ]),
            ByHand(
                "only where it is gone for good",
                &[
                    "select pg_drop_replication_slot('left_over')",
                    "alter system reset max_wal_size",
                    "select pg_reload_conf()",
                ],
            ),
        ),
    ]);
}

#[test]
fn breakages_of_the_schema_and_of_rows() {
    assert_each_is_found_and_mended(&[
        (
            "schema-behind",
            Sql(&["drop function public.warrior_pair_expression(text)"]),
            Command,
        ),
        (
            "index-missing",
            Sql(&["drop index public.idx_warrior_date_order"]),
            Command,
        ),
        (
            "index-missing",
            Sql(&[
                "update pg_index set indisvalid = false where indexrelid = 'public.idx_warrior_name_order'::regclass",
            ]),
            Command,
        ),
        (
            "triggers-off",
            Sql(&["alter table public.warrior disable trigger warrior_inserted"]),
            Command,
        ),
        (
            "count-drift",
            Sql(&["update public.warrior_count set n = n + 1"]),
            Command,
        ),
        (
            "lists-drift",
            Sql(&["delete from public.warrior_skill"]),
            Command,
        ),
        (
            "pending-lists",
            Sql(&["update public.warrior_count set list_bytes = list_bytes + 100000000"]),
            Command,
        ),
        (
            "statistics",
            Sql(&[
                "insert into public.warrior (name, dob, fight_skills)
                 select 'n ' || n, '1990-01-31', '{judo}' from generate_series(1, 20000) as n",
                "analyze public.warrior",
                "delete from pg_statistic where starelid = 'public.warrior'::regclass",
            ]),
            Command,
        ),
        (
            "autovacuum-off",
            Sql(&["alter table public.warrior set (autovacuum_enabled = false)"]),
            Command,
        ),
        (
            "table-reshaped",
            Sql(&["alter table public.warrior alter column name drop not null"]),
            ByHand(
                "undo that change",
                &["alter table public.warrior alter column name set not null"],
            ),
        ),
        (
            "table-obstacle",
            Sql(&["create rule theirs as on insert to public.warrior do also select 1"]),
            ByHand("drop rule theirs", &["drop rule theirs on public.warrior"]),
        ),
        (
            "schema-owner",
            Sql(&["alter table public.warrior_skill owner to postgres"]),
            Command,
        ),
        (
            "locale",
            Sql(&["update pg_database set datctype = 'C' where datname = 'warrior_api'"]),
            ByHand(
                "locale 'C.UTF-8'",
                &["update pg_database set datctype = 'C.UTF-8' where datname = 'warrior_api'"],
            ),
        ),
        (
            "collation-version",
            Sql(&["update pg_database set datcollversion = '1' where datname = 'warrior_api'"]),
            ByHand(
                "reindex database concurrently",
                &["update pg_database set datcollversion = null where datname = 'warrior_api'"],
            ),
        ),
    ]);
}

#[test]
fn files_that_others_can_read_are_closed_again() {
    let patient = Patient::take();
    patient.finds(&[], "nothing yet");
    let secret = patient
        .stack
        .endpoints
        .data
        .join("secrets/monitor.password");
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let found = patient.finds(&["secrets-readable"], "an open file");
    type_in(found.mend());
    assert_eq!(
        fs::metadata(&secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    patient.finds(&[], "the mend");
}

#[test]
fn descriptors_that_are_too_few_are_told_with_the_number_that_is_enough() {
    let patient = Patient::take();
    let data = patient.stack.endpoints.data.display().to_string();
    let limited = |command: &str| {
        let mut shell = std::process::Command::new("sh");
        let line = format!("{command}; exec \"$0\" doctor --json --data \"$1\"");
        shell
            .args(["-c", &line, crate::supervisor::WARRIOR_API, &data])
            .env_clear()
            .env("ADMIN_PORT", "1")
            .env("MAX_CONNECTIONS", "500")
            .current_dir("/");
        super::visit(&mut shell)
    };
    let found = super::finds(
        &mut || limited("ulimit -n 128"),
        &["descriptors"],
        "ulimit -n 128",
    );
    let enough = found.mend().split(',').next().unwrap().to_owned();
    super::finds(&mut || limited(&enough), &[], &enough);
}

/// Waits of seconds are what is looked for, so they are brought about and not slept away.
#[test]
fn sessions_that_hold_others_up_are_named_and_ended() {
    let patient = Patient::take();
    patient.finds(&[], "nothing yet");
    let mut idle = connect(&patient.stack.endpoints.superuser(DATABASE)).unwrap();
    idle.simple_query("begin; select count(*) from public.warrior")
        .unwrap();
    let found = patient.finds(&["idle-transaction"], "an open transaction");
    type_in(found.mend());
    patient.finds(&[], "the end of the transaction");
    assert!(idle.simple_query("select 1").is_err(), "it was ended");

    let endpoints = &patient.stack.endpoints;
    let tokens = Mutex::new(Vec::<CancelToken>::new());
    thread::scope(|scope| {
        let _ends = CancelAll(&tokens);
        let run = |sql: &'static str| {
            let mut client = connect(&endpoints.superuser(DATABASE)).unwrap();
            tokens.lock().unwrap().push(client.cancel_token());
            scope.spawn(move || client.simple_query(sql).map(drop));
        };
        // Busy, so that it is no idle transaction, and in the hardest of all modes.
        run("begin; lock table public.warrior in access exclusive mode; select pg_sleep(600)");
        let mut looks = connect(&endpoints.superuser(DATABASE)).unwrap();
        crate::supervisor::eventually("the lock is held", || {
            let held = "select 1 from pg_locks where relation = 'public.warrior'::regclass and mode = 'AccessExclusiveLock' and granted";
            !looks.query(held, &[]).unwrap().is_empty()
        });
        run(
            "insert into public.warrior (name, dob, fight_skills) values ('waits', '1990-01-31', '{judo}')",
        );
        let found = patient.finds(&["lock-wait"], "a lock");
        let unseen = found.unseen();
        let schema = "the schema, its indexes, triggers, rows and rights";
        assert!(unseen.contains(&schema), "{unseen:?}");
        type_in(found.mend());
        patient.finds(&[], "the end of the lock");
    });
}

/// Ends what sessions do, so that a failure beside them ends the test.
struct CancelAll<'t>(&'t Mutex<Vec<CancelToken>>);

impl Drop for CancelAll<'_> {
    fn drop(&mut self) {
        for token in self.0.lock().unwrap_or_else(|e| e.into_inner()).iter() {
            let _ = token.cancel_query(NoTls);
        }
    }
}
