//! The containers of three nodes: what they share with those of one, and the numbers that must agree for a leader never to
//! outlive its key.

use crate::agreement::after;

const COMPOSE: &str = include_str!("../../docker-compose.yml");
const HA: &str = include_str!("../../docker-compose.ha.yml");
const POLICY: &str = include_str!("../../ha/patroni.yml");
const WAY: &str = include_str!("../../ha/leader.cfg");
const NODE: &str = include_str!("../../ha/container-node");
const IMAGES: &str = include_str!("../../ha/Dockerfile");
const POSTGRES_IMAGE: &str = include_str!("../../postgres-conf/Dockerfile");
const POSTGRES: &str = include_str!("../../postgres-conf/postgresql.conf");
const POOLER: &str = include_str!("../../pgbouncer/container-start");

#[test]
fn what_has_one_name_in_both_files_is_one_text() {
    // The one difference: whom the others wait for.
    let single = COMPOSE.replace("      postgres: {condition:", "      leader: {condition:");
    for name in [
        "x-build: &build",
        "x-service: &service",
        "x-api: &api",
        "x-api-environment: &api-environment",
        "x-balancer: &balancer",
        "  migrate:",
        "  pgbouncer:",
        "  api:",
        "  balancer:",
        "  bench:",
    ] {
        assert_eq!(block(HA, name), block(&single, name), "{name}");
    }
    // What is in front finds PostgreSQL under the same name.
    assert!(block(HA, "  leader:").contains("database: {aliases: [postgres]}"));
}

#[test]
fn a_leader_gives_up_before_its_key_expires() {
    let (ttl, pause, retry) = (
        after(POLICY, "    ttl:"),
        after(POLICY, "    loop_wait:"),
        after(POLICY, "    retry_timeout:"),
    );
    // Patroni's own minimum; it lowers the other two where they do not fit, which would make README.md wrong.
    assert!(ttl >= 20.0);
    assert!(pause + 2.0 * retry <= ttl);
    // Somebody who writes to an old leader is cut off sooner than another can be made.
    let (interval, faster) = (after(WAY, " inter "), after(WAY, " fastinter ") / 1000.0);
    let check = after(WAY, "timeout check ");
    let noticed = interval + check + (after(WAY, " fall ") - 1.0) * (faster + check);
    assert!(noticed < ttl - pause, "noticed after {noticed} s");
    assert!(WAY.contains("on-marked-down shutdown-sessions"));
    assert!(WAY.contains("option httpchk OPTIONS /primary"));
}

#[test]
fn a_confirmed_commit_is_on_two_nodes() {
    for line in [
        "synchronous_mode: quorum",
        "synchronous_mode_strict: true",
        "custom_conf: /etc/warrior-api/postgresql.conf",
    ] {
        let set = POLICY.lines().any(|each| each.trim() == line);
        assert!(set, "{line}");
    }
    for setting in ["fsync = on", "synchronous_commit = on"] {
        assert!(POSTGRES.lines().any(|line| line == setting), "{setting}");
    }
}

#[test]
fn patroni_gives_postgresql_the_connections_of_its_file_and_the_way_lets_them_through() {
    let most = after(POSTGRES, "\nmax_connections = ");
    assert_eq!(after(POLICY, "        max_connections:"), most);
    let pool = after(POOLER, "PGBOUNCER_DEFAULT_POOL_SIZE:-");
    let way = after(WAY, "    maxconn ");
    assert!(2.0 * pool < most && most < way);
    // Two descriptors for each.
    let descriptors = after(block(HA, "  leader:"), "nofile: {soft: ");
    assert!(2.0 * way + 100.0 < descriptors);
}

#[test]
fn nodes_and_etcd_are_reached_by_those_who_need_them() {
    for network in ["database", "cluster"] {
        assert!(block(HA, &format!("  {network}:")).contains("internal: true"));
    }
    for n in 1..=3 {
        let node = block(HA, &format!("  db{n}:"));
        let names = [
            format!("cluster: {{aliases: [peer{n}]}}"),
            format!("NODE_NAME: db{n}"),
            format!("NODE_ADDRESS: peer{n}"),
            "ETCD_HOSTS: etcd1:2379,etcd2:2379,etcd3:2379".to_owned(),
        ];
        for name in names {
            assert!(node.contains(&name), "{name}");
        }
        assert!(WAY.contains(&format!("server db{n} db{n}:5432")));
        let etcd = block(HA, &format!("  etcd{n}:"));
        assert!(etcd.contains("<<: *etcd") && !etcd.contains("network"));
    }
    assert!(block(HA, "x-etcd: &etcd").contains("networks: [cluster]"));
    let published: Vec<_> = HA.lines().filter(|line| line.contains("ports:")).collect();
    assert_eq!(published.len(), 1);
    assert!(published[0].contains("PUBLISH_PORT:-"));
    // Nobody but a node reads what makes a node.
    let readers: Vec<_> = HA
        .lines()
        .filter(|line| line.contains("secrets: [") && line.contains("replication.password"))
        .collect();
    assert_eq!(readers.len(), 1);
    assert!(block(HA, "x-node: &node").contains(readers[0]));
    assert_eq!(NODE.matches("scram-sha-256").count(), 3);
    assert!(!NODE.contains("trust"));
}

#[test]
fn both_images_of_postgresql_install_it_alike() {
    let (from, to) = ("RUN groupadd", "postgresql-17");
    let install = |image: &'static str| {
        let (_, rest) = image.split_once(from).unwrap();
        rest.split_once(to).unwrap().0
    };
    assert_eq!(install(IMAGES), install(POSTGRES_IMAGE));
}

/// A block of YAML: the line that names it, and what stands deeper below.
fn block<'t>(text: &'t str, name: &str) -> &'t str {
    let marker = format!("\n{name}\n");
    let at = text
        .find(&marker)
        .unwrap_or_else(|| panic!("there is no {name}"));
    let text = &text[at + 1..];
    let depth = name.len() - name.trim_start().len();
    let mut end = name.len() + 1;
    for line in text[end..].split_inclusive('\n') {
        let deep = line.len() - line.trim_start_matches(' ').len();
        if deep <= depth && !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    text[..end].trim_end()
}

/// What else is in load-results belongs to others.
#[test]
fn the_test_of_three_nodes_reads_and_removes_the_ledgers_of_its_own_loads_alone() {
    const SCRIPT: &str = include_str!("../../scripts/compose-ha-test");
    let folder = "compose-ha-test";
    assert!(block(HA, "  bench:").contains("--out=${BENCH_OUT:-/results}"));
    assert!(block(HA, "  bench:").contains("\"./load-results:/results\""));
    assert!(SCRIPT.contains(&format!(" BENCH_OUT=/results/{folder}\n")));
    assert!(SCRIPT.contains(&format!("\nledgers=\"load-results/{folder}\"\n")));
    assert!(!SCRIPT.contains("find load-results"));
}
