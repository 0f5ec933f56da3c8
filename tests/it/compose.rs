//! The containers' numbers, which must agree with each other and with the program's; and what is refused before any of them
//! is started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use warrior_api::memory::Memory;

use crate::agreement::{after, default_of, leading};
use crate::supervisor::Scratch;

const COMPOSE: &str = include_str!("../../docker-compose.yml");
const COMPOSE_HA: &str = include_str!("../../docker-compose.ha.yml");
const BALANCER: &str = include_str!("../../balancer/haproxy.cfg");
const POOLER: &str = include_str!("../../pgbouncer/container-start");
const POSTGRES: &str = include_str!("../../postgres-conf/container-start");

/// What runs by default and stays, with the name of its variables.
const RUNNING: [&str; 4] = ["POSTGRES", "PGBOUNCER", "API", "BALANCER"];
/// Everything together, as the issue of a service that must be small has it.
const CPUS_MAX: f64 = 1.5;
const MEMORY_MAX: f64 = 3.0e9;
/// What the program takes besides connections, requests that wait and answers, in bytes; measured.
const PROGRAM: f64 = 24.0 * MIB;
const MIB: f64 = 1024.0 * 1024.0;

#[test]
fn the_limits_add_up_to_what_was_promised() {
    let instances = number(COMPOSE, "API_INSTANCES");
    let sum = |what: &str| -> f64 {
        RUNNING
            .iter()
            .map(|service| {
                let each = number(COMPOSE, &format!("{service}_{what}"));
                each * if *service == "API" { instances } else { 1.0 }
            })
            .sum()
    };
    assert!(sum("CPUS") <= CPUS_MAX + 1e-9, "{} CPUs", sum("CPUS"));
    assert!(sum("MEMORY") * MIB <= MEMORY_MAX, "{} MiB", sum("MEMORY"));
    // Nothing runs without limits: as many as there are services of one's own, and two for monitoring.
    for limit in ["    cpus: ", "  cpus: ", "mem_limit: ", "pids_limit: "] {
        assert!(COMPOSE.contains(limit), "{limit}");
    }
    for service in RUNNING {
        for limit in [
            format!("cpus: ${{{service}_CPUS:-"),
            format!("mem_limit: ${{{service}_MEMORY:-"),
            format!("memswap_limit: ${{{service}_MEMORY:-"),
        ] {
            assert_eq!(COMPOSE.matches(&limit).count(), 1, "{limit}");
        }
    }
}

#[test]
fn images_carry_the_version_and_the_commit() {
    let version = format!("${{VERSION:-{}}}", env!("CARGO_PKG_VERSION"));
    for (compose, images) in [
        (COMPOSE, 5),
        (include_str!("../../docker-compose.ha.yml"), 7),
        (include_str!("../../docker-compose.citus.yml"), 2),
    ] {
        let tags: Vec<&str> = (compose.lines())
            .filter_map(|line| line.trim().strip_prefix("image: warrior-api"))
            .collect();
        assert_eq!(tags.len(), images);
        for tag in tags {
            assert!(tag.ends_with(&format!(":{version}")), "{tag}");
        }
        assert!(compose.contains(&format!("\n  VERSION: {version}\n")));
        assert_eq!(compose.matches(", args: *build}").count(), images);
    }
    for (dockerfile, images) in [
        (include_str!("../../Dockerfile"), 2),
        (include_str!("../../postgres-conf/Dockerfile"), 1),
        (include_str!("../../pgbouncer/Dockerfile"), 1),
        (include_str!("../../balancer/Dockerfile"), 1),
        (include_str!("../../ha/Dockerfile"), 3),
        (include_str!("../../citus/Dockerfile"), 1),
    ] {
        for label in [
            "version=\"$VERSION\"",
            "revision=\"$COMMIT\"",
            "source=\"https://",
            "licenses=\"",
        ] {
            let label = format!("org.opencontainers.image.{label}");
            assert_eq!(dockerfile.matches(&label).count(), images, "{label}");
        }
    }
}

/// PgBouncer's known faults need no password, so only those who have business with it may reach it.
#[test]
fn the_database_is_reached_by_the_servers_alone() {
    assert!(COMPOSE.contains("  database:\n    internal: true\n"));
    let mut service = "";
    let mut reach = Vec::new();
    for line in COMPOSE.lines() {
        let name = line
            .strip_prefix("  ")
            .and_then(|rest| rest.strip_suffix(':'));
        if let Some(name) = name.filter(|name| !name.starts_with([' ', '#'])) {
            service = name;
        } else if line.contains(" networks: [") && line.contains("database") {
            reach.push(service);
        }
    }
    let servers = [
        "postgres",
        "migrate",
        "pgbouncer",
        "api",
        "api-direct",
        "import",
        "bench",
    ];
    assert_eq!(reach, servers);
}

#[test]
fn the_connections_of_a_server_fit_into_its_memory_and_its_descriptors() {
    let most = number(COMPOSE, "MAX_CONNECTIONS");
    let memory = number(COMPOSE, "API_MEMORY") * MIB;
    let shared = Memory::share(memory as u64, most as usize);
    assert_eq!(shared.connections as f64, most);
    let rest = memory / 2.0 - (shared.answers + shared.requests) as f64;
    assert!(PROGRAM <= rest, "{rest} bytes for the program");
    // Three groups of servers in the balancer, each with its own count.
    let groups = BALANCER.matches("server-template api ").count();
    assert!(3.0 * number(COMPOSE, "API_MAX_CONNECTIONS") <= most);
    assert_eq!(groups, 3);
    let descriptors = after(COMPOSE, "nofile: {soft: ");
    assert!(most + 8.0 * 5.0 + 48.0 <= descriptors);
}

#[test]
fn a_server_says_no_for_longer_than_the_balancer_takes_to_notice() {
    let drain = number(COMPOSE, "DRAIN_DELAY_MS");
    let interval = after(BALANCER, " inter ");
    let faster = after(BALANCER, " fastinter ");
    let fall = after(BALANCER, " fall ");
    let noticed = interval + (fall - 1.0) * faster;
    assert!(2.0 * noticed <= drain, "noticed after {noticed} ms");
    // What the balancer keeps halves each half second: after ten of those there is nothing left.
    let rest = number(COMPOSE, "HEAD_TIMEOUT_MS");
    assert!(10.0 * after(BALANCER, "pool-purge-delay ") < rest);
    // Both ends of a drain fit into what the engine waits before it kills.
    let api = COMPOSE.split("x-api: &api").nth(1).unwrap();
    let grace = 1000.0 * after(api, "stop_grace_period: ");
    let finish = default_of("DRAIN_TIMEOUT_MS") as f64;
    assert!(drain + finish + 1000.0 < grace);
}

#[test]
fn the_balancer_waits_longer_than_the_server_and_never_repeats_a_create() {
    let deadline = default_of("REQUEST_DEADLINE_MS");
    // Whatever the deadline is, and no longer than clients wait for a server that hangs.
    let answered = "http-request set-timeout server env(REQUEST_DEADLINE_MS),add(1000)\n";
    for backend in ["backend create", "backend read"] {
        assert!(section(backend).contains(answered), "{backend}");
    }
    let given = format!("REQUEST_DEADLINE_MS: ${{REQUEST_DEADLINE_MS:-{deadline}}}\n");
    for compose in [COMPOSE, COMPOSE_HA] {
        let balancers = compose.matches("      BALANCER_MAX_CONNECTIONS: ").count();
        assert_eq!(compose.matches(&given).count(), balancers);
    }
    assert!(1000.0 * after(BALANCER, "timeout queue ") < deadline as f64);
    let create = section("backend create");
    assert!(create.contains("http-request disable-l7-retry"));
    // req.hdr would split a key at its commas.
    assert!(create.contains("set-var(txn.key) req.fhdr(idempotency-key)"));
    assert!(!create.contains("retry-on"));
    assert!(section("defaults").contains("retry-on conn-failure\n"));
    // Whatever is lost on the way of a create is unknown, of a read not done.
    assert!(create.contains("set-status 504 if { status 500 502 }"));
    for backend in ["backend read", "backend process"] {
        assert!(section(backend).contains("set-status 503 if { status 500 502 504 }"));
    }
}

#[test]
fn every_instance_fits_behind_the_pooler_and_the_pooler_before_postgresql() {
    let pool = number(POOLER, "PGBOUNCER_DEFAULT_POOL_SIZE");
    let clients = number(POOLER, "PGBOUNCER_MAX_CLIENT_CONN");
    let most = number(POSTGRES, "POSTGRES_MAX_CONNECTIONS");
    // Two users may come through the pooler; 20 are for migrations and psql, and one for the statistics of each instance.
    assert!(2.0 * pool + 20.0 + 50.0 <= most, "50 instances");
    // Six workers, the probe and the flusher, on a fraction of a processor.
    let instances = number(COMPOSE, "API_INSTANCES");
    assert!(8.0 * instances <= pool);
    // And the console.
    assert!(9.0 * 50.0 <= clients, "50 instances");
}

#[test]
fn nothing_but_the_balancer_is_published_and_nothing_is_privileged() {
    let published: Vec<_> = COMPOSE.lines().filter(|l| l.contains("ports: [")).collect();
    for line in &published {
        let known = ["PUBLISH_PORT:-", "PUBLISH_PORT_DIRECT:-", "GRAFANA_PORT:-"];
        assert!(known.iter().any(|name| line.contains(name)), "{line}");
    }
    assert_eq!(published.len(), 3);
    for word in ["privileged", "network_mode", "cap_add", "docker.sock"] {
        assert!(!COMPOSE.contains(word), "{word}");
    }
    let service = COMPOSE.split("x-service: &service").nth(1).unwrap();
    for line in [
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "max-size: 10m",
    ] {
        assert!(
            service.split("\n\n").next().unwrap().contains(line),
            "{line}"
        );
    }
}

/// The default of a variable, `${NAME:-value}`: the same wherever it stands. MiB for memory.
fn number(text: &str, variable: &str) -> f64 {
    let marker = format!("${{{variable}:-");
    let mut values = text.split(marker.as_str()).skip(1).map(leading);
    let value = values
        .next()
        .unwrap_or_else(|| panic!("{variable} has no default"));
    assert!(values.all(|other| other == value), "{variable} differs");
    value
}

fn section(name: &str) -> &'static str {
    let (_, rest) = BALANCER.split_once(&format!("\n{name}\n")).unwrap();
    let next = ["\nbackend ", "\nfrontend ", "\ndefaults"];
    let end = next.iter().filter_map(|n| rest.find(n)).min();
    &rest[..end.unwrap_or(rest.len())]
}

/// An engine that answers, and does nothing but write down what it is asked for.
const ENGINE: &str = "#!/bin/sh\necho \"$@\" >>\"$ASKED\"\n";

/// A folder with that engine.
fn with_engine() -> Scratch {
    let folder = Scratch::new();
    let engine = folder.join("docker");
    fs::write(&engine, ENGINE).unwrap();
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// What a script says when it refuses its arguments or a variable.
fn refused(
    folder: &Scratch,
    script: &str,
    arguments: &[&str],
    variable: Option<(&str, &str)>,
) -> String {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/");
    let path = format!("{}:/usr/bin:/bin", folder.join("").display());
    let output = Command::new("bash")
        .arg(format!("{scripts}{script}"))
        .args(arguments)
        .env("PATH", path)
        .env("ASKED", folder.join("asked"))
        .envs(variable)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
    told
}

#[test]
fn a_file_whose_log_a_container_would_not_see_is_refused() {
    let folder = with_engine();
    let file = folder.join("app.duckdb");
    fs::write(&file, "rows").unwrap();
    fs::write(folder.join("app.duckdb.wal"), "rows").unwrap();
    let link = folder.join("link.duckdb");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for action in ["import", "check"] {
        for (log, named, said) in [
            (
                "app.duckdb.wal.checkpoint",
                &file,
                "a checkpoint of it was cut off",
            ),
            (
                "app.duckdb.wal.recovery",
                &file,
                "a checkpoint of it was cut off",
            ),
            ("link.duckdb.wal", &link, "a log stands beside the link"),
            (
                "link.duckdb.wal.checkpoint",
                &link,
                "a log stands beside the link",
            ),
        ] {
            fs::write(folder.join(log), "rows").unwrap();
            let named = named.to_str().unwrap();
            let told = refused(&folder, "compose", &[action, named], None);
            assert!(told.contains(said), "{log}: {told}");
            fs::remove_file(folder.join(log)).unwrap();
        }
    }
    let asked = fs::read_to_string(folder.join("asked")).unwrap();
    assert!(
        asked
            .lines()
            .all(|line| ["info", "compose version"].contains(&line)),
        "{asked}"
    );
}

#[test]
fn a_sweep_names_the_variable_that_is_wrong_before_it_asks_for_an_engine() {
    let folder = with_engine();
    for (variable, value, said) in [
        (
            "SWEEP_INSTANCES",
            "1 65",
            "SWEEP_INSTANCES holds 65; it is numbers from 1 to 64",
        ),
        ("SWEEP_INSTANCES", " ", "SWEEP_INSTANCES is empty"),
        ("SWEEP_POOLS", "4 x", "SWEEP_POOLS holds x"),
        ("SWEEP_POOLS", "4 4", "SWEEP_POOLS holds 4 twice"),
        ("SWEEP_ROUNDS", "1", "it is 2 or more"),
        ("SWEEP_RATE", "5 6", "SWEEP_RATE is one number"),
        ("SWEEP_SECONDS", "0", "SWEEP_SECONDS holds 0"),
    ] {
        let told = refused(&folder, "compose-sweep", &[], Some((variable, value)));
        assert!(told.contains(said), "{told}");
    }
    assert!(!folder.join("asked").exists());
}

#[test]
fn the_stack_on_citus_names_the_variable_that_is_wrong_before_it_asks_for_an_engine() {
    let folder = with_engine();
    for (what, variable, value, said) in [
        ("up", "CITUS_WORKERS", "0", "CITUS_WORKERS holds 0"),
        ("sweep", "SWEEP_WORKERS", "1 x", "SWEEP_WORKERS holds x"),
        (
            "start",
            "CITUS_WORKERS",
            "2",
            "it is one of: up, down, sweep",
        ),
    ] {
        let told = refused(&folder, "compose-citus", &[what], Some((variable, value)));
        assert!(told.contains(said), "{told}");
    }
    assert!(!folder.join("asked").exists());
}
