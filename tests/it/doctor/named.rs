//! A database that is not the embedded stack's: the variables of `serve`, with and without the other roles.

use std::path::Path;
use std::process::Command;

use warrior_api::config::{Database, SecretSource};
use warrior_stack::DATABASE;

use super::{Patient, Visit, finds, visit};
use crate::server::TestServer;
use crate::settings::program;
use crate::support::{Fresh, fresh_database};

fn password(database: &Database) -> &Path {
    match &database.password {
        Some(SecretSource::File(path)) => path,
        other => panic!("the stack keeps its passwords in files, not {other:?}"),
    }
}

/// The doctor with the variables of a server, and nothing more.
fn doctor(serving: &Database) -> Command {
    let mut command = program(&["doctor", "--json"]);
    command
        .env("ADMIN_PORT", "1")
        .env("WORKERS", "3")
        .env("MAX_CONNECTIONS", "100")
        .env("POSTGRES_HOST", &serving.host)
        .env("POSTGRES_PORT", serving.port.to_string())
        .env("POSTGRES_DB", &serving.dbname)
        .env("POSTGRES_USER", &serving.user)
        .env("POSTGRES_PASSWORD_FILE", password(serving));
    command
}

fn with_owner(command: &mut Command, owner: &Database) {
    command
        .env("POSTGRES_DIRECT_PORT", owner.port.to_string())
        .env("POSTGRES_OWNER_PASSWORD_FILE", password(owner));
}

#[test]
fn what_a_role_may_not_see_is_said_and_what_it_may_see_is_judged() {
    let patient = Patient::take();
    let endpoints = &patient.stack.endpoints;
    let serving = endpoints.runtime(DATABASE);
    let mut command = doctor(&serving);
    let pooled = finds(&mut || visit(&mut command), &[], "a pooler alone");
    assert_eq!(pooled.status, 4);
    assert_eq!(pooled.report["healthy"], false);
    for what in [
        "the pooler's version, mode and sizes",
        "the schema, its indexes, triggers, rows and rights",
        "PostgreSQL's settings, sessions and statistics",
        "the space on the database's disk",
    ] {
        assert!(
            pooled.unseen().contains(&what),
            "{what}: {:#}",
            pooled.report
        );
    }
    command.env("POSTGRES_DIRECT_PORT", endpoints.postgres.port.to_string());
    let direct = finds(
        &mut || visit(&mut command),
        &[],
        "the role that serves, direct",
    );
    for what in ["the list of migrations", "what sessions of other roles do"] {
        assert!(
            direct.unseen().contains(&what),
            "{what}: {:#}",
            direct.report
        );
    }
    with_owner(&mut command, &endpoints.owner(DATABASE));
    let monitor = endpoints.monitor(DATABASE);
    command.env("POSTGRES_MONITOR_PASSWORD_FILE", password(&monitor));
    let all = finds(&mut || visit(&mut command), &[], "all roles");
    assert_eq!(all.status, 0, "{:#}", all.report);
    assert_eq!(
        all.unseen(),
        [
            "the server, its readiness and what binds now",
            "the space on the database's disk"
        ]
    );

    // Past the pooler there is none to be looked at.
    let mut command = doctor(&endpoints.runtime_direct(DATABASE));
    let direct = finds(&mut || visit(&mut command), &[], "no pooler");
    assert!(
        !direct
            .unseen()
            .contains(&"the pooler's version, mode and sizes")
    );

    command.env("POSTGRES_DB", "nowhere");
    let refused = visit(&mut command);
    assert_eq!(
        (refused.status, refused.names()),
        (2, vec!["database-unreachable"])
    );
    assert!(refused.mend().contains("psql -h"), "{:#}", refused.report);
}

fn of(database: &Fresh) -> Visit {
    let mut command = doctor(&database.direct_login());
    with_owner(&mut command, &database.owner_login());
    visit(&mut command)
}

#[test]
fn a_database_without_the_schema_or_its_secret_is_told() {
    let empty = crate::support::empty_database();
    let found = finds(&mut || of(&empty), &["schema-behind"], "no schema");
    assert_eq!(found.mend(), "warrior-api schema apply");

    let database = fresh_database();
    database
        .superuser()
        .batch_execute("delete from public.warrior_secret")
        .unwrap();
    let found = finds(&mut || of(&database), &["idempotency-secret"], "no secret");
    assert_eq!(found.status, 3);

    let server = TestServer::without_secret(&database.direct_login());
    let mut command = doctor(&database.direct_login());
    with_owner(&mut command, &database.owner_login());
    command.env("ADMIN_PORT", server.admin.port().to_string());
    let names = ["idempotency-secret", "server-not-ready"];
    finds(
        &mut || visit(&mut command),
        &names,
        "a server without a secret",
    );
}

#[test]
fn fewer_connections_than_workers_are_told_without_a_pooler_too() {
    let database = fresh_database();
    let limit = format!("alter database {} connection limit 4", database.name());
    database.superuser().batch_execute(&limit).unwrap();
    let found = finds(
        &mut || of(&database),
        &["connections-too-few"],
        "a connection limit",
    );
    assert!(
        found.mend().contains("connection limit -1"),
        "{:#}",
        found.report
    );
}
