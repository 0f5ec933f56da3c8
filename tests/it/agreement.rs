//! Numbers that must agree across files. Each is read from the file that the programs read.

use clap::{CommandFactory, Parser};
use warrior_api::config::{Cli, Command, Sizes};
use warrior_stack::shipped::{PGBOUNCER_INI, POSTGRESQL_CONF, setting};

use crate::supervisor::{connect, shared};

/// Connections past the pooler: migrations, monitoring, psql, and what PostgreSQL keeps for the
/// superuser.
const DIRECT: usize = 20;
/// The hard limit of open files that Debian, Ubuntu, Docker and macOS give at the least. The embedded
/// stack raises the soft limit to the hard one.
const DESCRIPTORS: usize = 4096;
/// Log, pid file, listeners, console, and what the event loop holds.
const POOLER_OWN_DESCRIPTORS: usize = 30;

#[test]
fn r2d2_fits_into_the_pool_of_pgbouncer() {
    let pool = number(PGBOUNCER_INI, "default_pool_size");
    assert!(most_workers_by_default().pool() <= pool);
    // The ceiling that a user may reach by WORKERS alone is covered by the embedded stack, which
    // raises the pool; see what_the_stack_generates_agrees.
}

#[test]
fn the_pools_of_pgbouncer_fit_into_postgresql() {
    let pool = number(PGBOUNCER_INI, "default_pool_size");
    let connections = number(POSTGRESQL_CONF, "max_connections");
    // Two users may come through the pooler; see userlist.txt.
    assert!(2 * pool + DIRECT <= connections);
}

#[test]
fn clients_and_servers_of_pgbouncer_fit_into_its_descriptors() {
    let clients = number(PGBOUNCER_INI, "max_client_conn");
    let pool = number(PGBOUNCER_INI, "default_pool_size");
    assert!(clients + 2 * pool + POOLER_OWN_DESCRIPTORS <= DESCRIPTORS);
    // Several instances of the API, each as large as the ceiling allows.
    assert!(2 * (db_pool_max() + 1) < clients);
}

#[test]
fn every_wait_is_shorter_than_the_request_that_waits() {
    let deadline_ms = default_of("REQUEST_DEADLINE_MS");
    for key in ["query_wait_timeout", "server_connect_timeout"] {
        assert!(1000 * number(PGBOUNCER_INI, key) < deadline_ms, "{key}");
    }
    // A request waits out an outage of half its time; these come on top of it.
    let retry: f64 = setting(PGBOUNCER_INI, "server_login_retry")
        .and_then(|value| value.parse().ok())
        .unwrap();
    assert!(20_000.0 * retry <= deadline_ms as f64, "server_login_retry");
    assert!(default_of("DB_CONNECT_TIMEOUT_MS") < deadline_ms);
}

#[test]
fn a_frozen_backend_is_given_up_after_slow_statements_are() {
    let roles = include_str!("../../postgres-conf/roles.sql");
    let statement = "alter role warrior set statement_timeout = '2s';";
    assert!(roles.contains(statement), "compare query_timeout again");
    let flush = include_str!("../../src/store/sql/flush_limit.sql");
    let longest = "set local statement_timeout = '4s'";
    assert!(flush.contains(longest), "compare query_timeout again");
    assert!((5..=10).contains(&number(PGBOUNCER_INI, "query_timeout")));
}

#[test]
fn what_the_stack_generates_agrees() {
    let mut console = connect(&shared().pooler_admin()).unwrap();
    let config = console.simple_query("show config").unwrap();
    let in_pooler = |wanted: &str| -> usize {
        config
            .iter()
            .find_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) if row.get("key") == Some(wanted) => {
                    row.get("value")?.parse().ok()
                }
                _ => None,
            })
            .unwrap()
    };
    let mut postgres = connect(&shared().superuser("postgres")).unwrap();
    let row = postgres
        .query_one("select current_setting('max_connections')::int", &[])
        .unwrap();
    let max_connections: i32 = row.get(0);
    let sizes = sizes(&[]);
    assert!(sizes.pool() <= in_pooler("default_pool_size"));
    assert!(in_pooler("default_pool_size") + DIRECT <= usize::try_from(max_connections).unwrap());
    assert!(sizes.pool() <= in_pooler("max_client_conn"));
}

/// Auto workers are three per core, but at most 48 however many cores there are.
fn most_workers_by_default() -> Sizes {
    sizes(&["--workers", "48"])
}

fn sizes(flags: &[&str]) -> Sizes {
    let arguments = ["warrior-api", "stack"].iter().chain(flags);
    match Cli::try_parse_from(arguments).unwrap().command {
        Command::Stack(args) => args.sizes().unwrap(),
        other => panic!("stack is not {other:?}"),
    }
}

fn db_pool_max() -> usize {
    default_of("DB_POOL_MAX")
}

/// The default of a variable, as `--help` shows it.
pub(crate) fn default_of(variable: &str) -> usize {
    Cli::command()
        .get_subcommands()
        .filter(|c| c.get_name() == "serve")
        .flat_map(clap::Command::get_arguments)
        .find(|a| a.get_env().is_some_and(|env| env == variable))
        .and_then(|a| a.get_default_values().first()?.to_str()?.parse().ok())
        .unwrap_or_else(|| panic!("{variable} has no number as its default"))
}

/// The number that follows a marker in a file that has settings of its own form.
pub(crate) fn after(text: &str, marker: &str) -> f64 {
    let (_, rest) = text
        .split_once(marker)
        .unwrap_or_else(|| panic!("there is no {marker:?}"));
    leading(rest.trim_start())
}

/// The number that a text begins with.
pub(crate) fn leading(text: &str) -> f64 {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text[..end].parse().unwrap()
}

fn number(text: &str, key: &str) -> usize {
    let value = setting(text, key).unwrap_or_else(|| panic!("{key} is not set"));
    value
        .parse()
        .unwrap_or_else(|_| panic!("{key} is {value:?}, not a number"))
}

/// A path stands in backticks, from the root of the tree or from `src`.
#[test]
fn the_files_that_the_documents_name_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let ends = [
        ".rs", ".sql", ".md", ".toml", ".json", ".ini", ".conf", ".cfg",
    ];
    for document in [
        "README.md",
        "CONTRIBUTING.md",
        "docs/ARCHITECTURE.md",
        "docs/OPERATIONS.md",
    ] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let paths = text.split('`').skip(1).step_by(2).filter(|quoted| {
            quoted.contains('/')
                && !quoted.contains([' ', '<', '*', '$', '{'])
                && !quoted.starts_with(['/', '~'])
                && ends.iter().any(|end| quoted.ends_with(end))
        });
        let mut named = 0;
        for path in paths {
            let there = [root.join(path), root.join("src").join(path)];
            assert!(there.iter().any(|path| path.exists()), "{document}: {path}");
            named += 1;
        }
        assert!(named > 0 || !document.ends_with("TURE.md"), "{document}");
    }
}

#[test]
fn the_example_of_an_env_file_names_every_variable_with_its_default() {
    let example = include_str!("../../.env.example");
    let named: Vec<(&str, &str)> = example
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once('='))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let program = Cli::command();
    let arguments: Vec<_> = program
        .get_arguments()
        .chain(
            program
                .get_subcommands()
                .flat_map(clap::Command::get_arguments),
        )
        // What is hidden is an older name of another.
        .filter(|a| !a.is_hide_set())
        .filter_map(|a| Some((a.get_env()?.to_str()?, a.get_default_values())))
        .collect();
    for (name, value) in &named {
        // Secrets have no flag, since flags show in ps.
        if name.ends_with("_FILE") {
            continue;
        }
        let defaults: Vec<_> = arguments.iter().filter(|(env, _)| env == name).collect();
        assert!(!defaults.is_empty(), "{name} is no variable of the program");
        let shown = |default: &[clap::builder::OsStr]| default.is_empty() || default[0] == *value;
        // The direct port has no default outside the embedded stack.
        assert!(
            defaults.iter().any(|(_, d)| shown(d)),
            "{name} does not default to {value}"
        );
    }
    for (env, _) in &arguments {
        assert!(
            named.iter().any(|(name, _)| name == env),
            "{env} is missing"
        );
    }
}
