//! Judgement of evidence, above all of what cannot be brought about on a machine of tests.

use std::path::PathBuf;
use std::time::Duration;

use super::super::evidence::{
    Asked, Binds, Console, Database, Evidence, Figures, Files, Pool, Process, Server, Serving,
    Setting, Table,
};
use super::super::finding::Unseen;
use super::super::place::Place;
use super::access::LIMITS;
use super::{judge, notes, unseen};
use crate::config::{Database as Login, NamedLogins, Sizes, Tls};
use crate::store::{Readiness, Writes};

mod pooler;
mod postgres;
mod schema;

const ROLES: &str = include_str!("../../../../postgres-conf/roles.sql");

fn place() -> Place {
    let serving = Login {
        host: "db.example".to_owned(),
        port: 6432,
        dbname: "warrior_api".to_owned(),
        user: "warrior".to_owned(),
        password: None,
        tls: Tls::Off,
        connect_timeout: Duration::from_secs(2),
    };
    Place::named(NamedLogins {
        direct: Login {
            user: "warrior_owner".to_owned(),
            port: 5432,
            ..serving.clone()
        },
        monitor: None,
        serving,
    })
}

/// Evidence in which nothing is wrong.
fn sound() -> Evidence {
    let sizes = Sizes {
        workers_create: 2,
        workers_find: 2,
        workers_search: 2,
        pool_min: 0,
        batch_max: 128,
        queue_max: 2048,
        connections_max: 1000,
    };
    let settings = [
        ("statement_timeout", "2000"),
        ("lock_timeout", "1000"),
        ("idle_in_transaction_session_timeout", "5000"),
        ("synchronous_commit", "on"),
        ("gin_fuzzy_search_limit", "0"),
    ];
    Evidence {
        asked: Asked {
            connections: sizes.pool(),
            sizes,
            deadline: Duration::from_secs(3),
            tls: false,
            public_host: false,
            own_secret: false,
            role: "warrior".to_owned(),
            dbname: "warrior_api".to_owned(),
            descriptors_max: Some(20_000),
        },
        serving: Serving {
            refused: None,
            silent: false,
            direct: false,
            readiness: Some(Readiness::default()),
            unseen: Vec::new(),
            settings: settings
                .map(|(name, value)| setting(name, value, "user"))
                .to_vec(),
        },
        console: Some(Ok(console())),
        schema: Err(Unseen::new("the schema", "not asked")),
        database: Ok(database()),
        server: Ok(Server {
            not_ready: None,
            figures: Ok(Figures::default()),
        }),
        files: Files::default(),
    }
}

fn setting(name: &str, value: &str, source: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        source: source.to_owned(),
    }
}

fn console() -> Console {
    let config = [
        ("pool_mode", "transaction"),
        ("listen_addr", "127.0.0.1"),
        ("ignore_startup_parameters", "extra_float_digits, options"),
        ("max_client_conn", "1000"),
        ("query_wait_timeout", "1"),
        ("auth_type", "scram-sha-256"),
        ("max_prepared_statements", "200"),
    ];
    Console {
        version: "PgBouncer 1.24.1".to_owned(),
        config: config
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        pool_size: Some(50),
        database_max: Some(0),
        ..Console::default()
    }
}

fn database() -> Database {
    Database {
        version: "17.6".to_owned(),
        sees_all: true,
        fsync: true,
        full_page_writes: true,
        autovacuum: true,
        max_connections: 200,
        reserved: 3,
        connections: 10,
        connection_limit: -1,
        table: Some(Table {
            rows: 1e6,
            live: 1_000_000,
            analyzed: true,
            ..Table::default()
        }),
        pending_bytes: Some(0),
        ..Database::default()
    }
}

fn names(evidence: &Evidence) -> Vec<&'static str> {
    judge(evidence, &place())
        .iter()
        .map(|finding| finding.kind.name)
        .collect()
}

/// The findings after a change of sound evidence.
fn after(change: impl FnOnce(&mut Evidence)) -> Vec<&'static str> {
    let mut evidence = sound();
    change(&mut evidence);
    names(&evidence)
}

#[test]
fn sound_evidence_has_no_findings() {
    assert_eq!(names(&sound()), [""; 0]);
}

#[test]
fn what_is_not_seen_is_said_and_is_no_finding() {
    let mut evidence = sound();
    let why = || Unseen::new("a part", "it was refused");
    evidence.console = Some(Err(why()));
    evidence.database = Err(why());
    evidence.server = Err(why());
    assert_eq!(names(&evidence), [""; 0]);
    // These, the schema, and the disk.
    assert_eq!(unseen(&evidence, &place()).len(), 5);
    for part in [&mut evidence.serving.unseen, &mut evidence.files.unseen] {
        part.push(why());
    }
    assert_eq!(unseen(&evidence, &place()).len(), 7);
    evidence.database = Ok(Database {
        unseen: vec![why(), why()],
        ..database()
    });
    assert_eq!(unseen(&evidence, &place()).len(), 8);
}

#[test]
fn limits_are_judged_beside_the_deadline_and_mended_as_roles_sql_sets_them() {
    for (name, value) in LIMITS {
        let line = format!("alter role warrior set {name} = '{value}';");
        assert!(ROLES.contains(&line), "{line}");
        let mut evidence = sound();
        evidence.serving.settings = vec![setting(name, "0", "default")];
        let findings = judge(&evidence, &place());
        assert_eq!(findings[0].kind.name, "statement-limits");
        let command = format!("\"alter role warrior set {name} = '{value}'\"");
        assert!(findings[0].mend.contains(&command), "{findings:?}");
    }
    // What is set for the role in this database wins over what is set for the role.
    let mut evidence = sound();
    evidence.serving.settings = vec![setting("lock_timeout", "0", "database user")];
    let findings = judge(&evidence, &place());
    let words = "alter role warrior in database warrior_api set lock_timeout = '1s'";
    assert!(findings[0].mend.contains(words), "{findings:?}");
    let long = after(|e| e.serving.settings = vec![setting("statement_timeout", "3000", "user")]);
    assert_eq!(long, ["statement-limits"]);
}

#[test]
fn a_setting_is_taken_back_where_it_comes_from() {
    for (source, words) in [
        ("user", "alter role warrior reset synchronous_commit"),
        (
            "database",
            "alter database warrior_api reset synchronous_commit",
        ),
        (
            "database user",
            "alter role warrior in database warrior_api reset",
        ),
        (
            "configuration file",
            "alter system set synchronous_commit = on",
        ),
        ("session", "RECONNECT"),
    ] {
        let mut evidence = sound();
        evidence.serving.settings = vec![setting("synchronous_commit", "off", source)];
        let findings = judge(&evidence, &place());
        assert_eq!(findings[0].kind.name, "durability-off");
        assert!(
            findings[0].mend.contains(words),
            "{source}: {}",
            findings[0].mend
        );
        assert!(
            findings[0].mend.contains("RECONNECT"),
            "{source}: {}",
            findings[0].mend
        );
    }
}

#[test]
fn the_way_of_requests_and_the_machine_are_judged() {
    let refused = Some(("it is silent".to_owned(), "start it".to_owned()));
    assert_eq!(
        after(|e| e.serving.refused.clone_from(&refused)),
        ["database-unreachable"]
    );
    let standby = Readiness {
        writes: Writes::Standby,
        ..Readiness::default()
    };
    assert_eq!(
        after(|e| e.serving.readiness = Some(standby)),
        ["database-read-only"]
    );
    assert_eq!(after(|e| e.asked.public_host = true), ["tls-off"]);
    assert_eq!(
        after(|e| (e.asked.public_host, e.asked.tls) = (true, true)),
        [""; 0]
    );
    assert_eq!(
        after(|e| e.asked.descriptors_max = Some(256)),
        ["descriptors"]
    );
    assert_eq!(
        after(|e| e.files.disk = Some((100 << 20, 100 << 30))),
        ["disk-space"]
    );
    assert_eq!(
        after(|e| e.files.pooler_descriptors = Some(1024)),
        ["pooler-descriptors"]
    );
    assert_eq!(
        after(|e| e.files.open = vec![PathBuf::from("/s")]),
        ["secrets-readable"]
    );
}

#[test]
fn a_server_is_judged_by_what_it_tells() {
    let told = |figures| {
        move |e: &mut Evidence| {
            e.server = Ok(Server {
                not_ready: None,
                figures: Ok(figures),
            });
        }
    };
    let binds = |limit: &str| Figures {
        binds: Some(Binds {
            limit: limit.to_owned(),
            sentence: "PgBouncer's pool binds".to_owned(),
        }),
        ..Figures::default()
    };
    assert_eq!(after(told(binds("pgbouncer-pool"))), ["binds"]);
    assert_eq!(after(told(binds("none"))), [""; 0]);
    // A build beside it, for instance, which a deployment must not fail of.
    let mut evidence = sound();
    told(binds("machine-cpu"))(&mut evidence);
    assert_eq!(names(&evidence), [""; 0]);
    assert!(notes(&evidence).contains(&"PgBouncer's pool binds".to_owned()));
    let few = Figures {
        r2d2: Some(Pool { max: 8 }),
        process: Some(Process {
            descriptors_max: Some(256),
        }),
        ..Figures::default()
    };
    assert_eq!(after(told(few)), ["descriptors"]);
    // The agreed shape, of which more is told than is judged here.
    let text = r#"{"at":1.5,"r2d2":{"max":6,"idle":4},"process":{"descriptors_max":1024,"threads":9},
                   "binds":{"limit":"workers","sentence":"workers bind"},"postgres":null}"#;
    let figures: Figures = serde_json::from_str(text).unwrap();
    assert_eq!(figures.r2d2.map(|pool| pool.max), Some(6));
    assert_eq!(
        figures.binds.map(|binds| binds.limit).as_deref(),
        Some("workers")
    );
}
