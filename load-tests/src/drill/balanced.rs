//! Two servers behind the balancer that the product ships.

use std::net::Ipv4Addr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::Signal;
use serde::Deserialize;

use super::balancer::{self, ADMIN_PORT, Balancer, PUBLIC_PORT, Seen};
use super::judge::{self, HEALED_WITHIN, Invariant};
use super::load::{Load, profile};
use super::probe;
use super::rig::Unanswered;
use super::scene::Scene;
use crate::server::Server;
use crate::target::Target;

/// Where the servers are: ports are the same everywhere, as in containers.
const SERVERS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 1, 2)];
/// Creates that are on their way when a server is lost.
const UNDER_WAY: usize = 20;
/// Creates a second, beside the round's own load.
const RATE: f64 = 25.0;
/// When the balancer answers for a server that hangs: a second after its deadline.
const ANSWERED_FOR: Duration = Duration::from_secs(4);
/// The load between two faults.
const BETWEEN: Duration = Duration::from_secs(1);
/// Longest wait for ten creates in a row.
const PATIENCE: Duration = Duration::from_secs(60);

/// The balancer, and its servers; one that was killed is none.
struct Balanced {
    balancer: Balancer,
    servers: [Option<Server>; 2],
}

/// D1 behind the balancer: one server after the other is killed. What was at it is unknown, everything else is answered.
pub(super) fn one_killed(scene: &mut Scene) -> anyhow::Result<()> {
    let mut balanced = Balanced::start(scene)?;
    let target = balanced.balancer.target.clone();
    let names = balanced.lose(scene, |scene, servers| {
        scene.evidence.figures.kills += 1;
        servers[0].take().context("no server")?.kill()
    })?;
    stored_once(scene, &names)?;
    balanced.start_server(scene, 0)?;
    under_load(scene, &target, |scene| {
        for number in 0..scene.length.of(3, 20) {
            thread::sleep(BETWEEN);
            let server = balanced.servers[number % 2].take();
            server.context("no server")?.kill()?;
            scene.evidence.figures.kills += 1;
            heals(scene, &target);
            // Or it would be taken for up before it is, and the next kill take the last one.
            balanced.balancer.await_up(SERVERS.len() - 1)?;
            balanced.start_server(scene, number % 2)?;
        }
        Ok(())
    })
}

/// D10 behind the balancer: a server is stopped, which gets no more requests, and goes on.
pub(super) fn one_stopped(scene: &mut Scene) -> anyhow::Result<()> {
    let mut balanced = Balanced::start(scene)?;
    let target = balanced.balancer.target.clone();
    let names = balanced.lose(scene, |_, servers| signal(&servers[0], Signal::SIGSTOP))?;
    signal(&balanced.servers[0], Signal::SIGCONT)?;
    balanced.balancer.await_up(SERVERS.len())?;
    stored_once(scene, &names)?;
    under_load(scene, &target, |scene| {
        for number in 0..scene.length.of(2, 6) {
            thread::sleep(BETWEEN);
            let server = &balanced.servers[number % 2];
            signal(server, Signal::SIGSTOP)?;
            heals(scene, &target);
            balanced.balancer.await_up(SERVERS.len() - 1)?;
            thread::sleep(scene.seconds(3.0, 30.0));
            signal(server, Signal::SIGCONT)?;
            balanced.balancer.await_up(SERVERS.len())?;
            heals(scene, &target);
        }
        Ok(())
    })
}

// === impl Balanced ===

impl Balanced {
    fn start(scene: &Scene) -> anyhow::Result<Balanced> {
        let folder = scene.endpoints().data.join("balancer");
        let secret = scene.cluster.idempotency_secret_file()?;
        let program = balancer::find(scene.programs().haproxy.as_deref())?;
        let mut balanced = Balanced {
            balancer: Balancer::start(&program, &folder, &secret, SERVERS.to_vec())?,
            servers: [None, None],
        };
        for number in 0..SERVERS.len() {
            balanced.start_server(scene, number)?;
        }
        Ok(balanced)
    }

    /// Starts a server, and waits until the balancer knows of all that run.
    fn start_server(&mut self, scene: &Scene, number: usize) -> anyhow::Result<()> {
        let command = command(scene)?;
        let server = Server::start_at(command, SERVERS[number], PUBLIC_PORT, ADMIN_PORT)?;
        self.servers[number] = Some(server);
        self.balancer
            .await_up(self.servers.iter().flatten().count())
    }

    /// Loses a server at which creates are under way: each of them is unknown, and settled by its key; the others are
    /// stored. So none of them was sent to another server. Gives their names.
    fn lose(
        &mut self,
        scene: &mut Scene,
        fault: impl FnOnce(&mut Scene, &mut [Option<Server>; 2]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<String>> {
        let mut admin = scene.superuser()?;
        let mut lock = admin.transaction()?;
        lock.batch_execute("lock table warrior in access exclusive mode")?;
        let names: Vec<String> = (0..UNDER_WAY)
            .map(|_| format!("balanced {}", uuid::Uuid::new_v4()))
            .collect();
        let (target, balancer) = (self.balancer.target.clone(), &self.balancer);
        let servers = &mut self.servers;
        let (before, replies) = thread::scope(|scope| {
            let creates: Vec<_> = (names.iter())
                .map(|name| scope.spawn(|| probe::create(&target, &warrior(name), None)))
                .collect();
            let mut before = Vec::new();
            scene.wait_until("all creates are at a server", |_| {
                before = balancer.sees()?;
                Ok(before.iter().map(|server| server.sessions).sum::<u64>() == UNDER_WAY as u64)
            })?;
            fault(scene, servers)?;
            lock.rollback()?;
            let replies = creates.into_iter().map(|create| create.join());
            anyhow::Ok((before, replies.collect::<Vec<_>>()))
        })?;
        self.balancer.await_up(SERVERS.len() - 1)?;
        let after = self.balancer.sees()?;
        let is_lost = |server: &&Seen| after.iter().any(|s| s.name == server.name && !s.is_up);
        let lost = before.iter().find(is_lost).context("no server is lost")?;
        let (mut statuses, mut unknown) = (Vec::new(), Vec::new());
        for (name, reply) in names.iter().zip(replies) {
            let reply = reply.map_err(|_| anyhow::anyhow!("the thread of a create panicked"))?;
            statuses.push(reply.as_ref().map_or(0, |reply| reply.status));
            unknown.extend(
                reply
                    .ok()
                    .filter(|r| r.status == 504)
                    .map(|r| (name, r.body)),
            );
        }
        let number = |status| statuses.iter().filter(|other| **other == status).count() as u64;
        let (at_lost, all) = (lost.sessions, UNDER_WAY as u64);
        scene.demand(
            at_lost > 0 && (number(504), number(201)) == (at_lost, all - at_lost),
            || format!("{at_lost} of {all} creates were at the lost server, and were answered {statuses:?}"),
        );
        for (name, body) in unknown {
            settle(scene, &target, name, &body)?;
        }
        Ok(names)
    }
}

/// The way to settle that an unknown outcome names.
#[derive(Deserialize)]
struct Settle {
    #[serde(rename = "Location")]
    location: String,
    idempotency_key: String,
}

/// Repeats a create by the key that its unknown outcome named, twice.
fn settle(scene: &mut Scene, target: &Target, name: &str, body: &str) -> anyhow::Result<()> {
    let way: Settle = serde_json::from_str(body).with_context(|| format!("a 504 says {body}"))?;
    for _ in 0..2 {
        let reply = probe::create(target, &warrior(name), Some(&way.idempotency_key))?;
        if (reply.status, reply.location.as_ref()) != (201, Some(&way.location)) {
            let what = format!("{name} was to be at {}, and is {reply:?}", way.location);
            scene.breach(Invariant::I3, what);
        }
    }
    Ok(())
}

/// Each of these creates is acknowledged by now, so it has one row.
fn stored_once(scene: &mut Scene, names: &[String]) -> anyhow::Result<()> {
    let count = "select count(*), count(distinct name) from warrior where name = any($1)";
    let row = scene.superuser()?.query_one(count, &[&names])?;
    let (rows, distinct): (i64, i64) = (row.get(0), row.get(1));
    if (rows, distinct) != (names.len() as i64, names.len() as i64) {
        let what = format!("{} creates have {rows} rows of {distinct}", names.len());
        scene.breach(Invariant::I1, what);
    }
    Ok(())
}

/// Breaks under a load through the balancer, of which every request must be answered.
fn under_load(
    scene: &mut Scene,
    target: &Target,
    breaks: impl FnOnce(&mut Scene) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (database, directory) = (scene.database(), scene.directory().to_owned());
    let load = Load {
        target,
        database: Some(&database),
        directory: &directory,
    };
    let (broken, driven) = load.beside(&profile(RATE, scene.length), || breaks(scene))?;
    // The balancer answers where a server hangs.
    let late = judge::by_time(&driven.collected, Unanswered::None, ANSWERED_FOR);
    scene.evidence.breaches.extend(late);
    let judged = scene.judge_also(&driven, Unanswered::Any, target, &database);
    broken?;
    judged
}

/// Waits until ten creates in a row succeed by way of the balancer.
fn heals(scene: &mut Scene, target: &Target) {
    let began = Instant::now();
    let took = probe::heals(target, PATIENCE).unwrap_or_else(|| began.elapsed());
    scene.evidence.figures.healed(took);
    if took > HEALED_WITHIN {
        let what = format!("ten creates in a row by way of the balancer only after {took:.1?}");
        scene.breach(Invariant::I7, what);
    }
}

fn signal(server: &Option<Server>, signal: Signal) -> anyhow::Result<()> {
    server.as_ref().context("no server")?.signal(signal)
}

fn warrior(name: &str) -> String {
    format!(r#"{{"name":"{name}","dob":"1990-01-31","fight_skills":["drill"]}}"#)
}

/// The server's command, at the pooler of the scene.
fn command(scene: &Scene) -> anyhow::Result<Command> {
    let mut command = scene.cluster.server_command(&scene.programs().server)?;
    command
        .env("POSTGRES_HOST", "127.0.0.1")
        .env("POSTGRES_PORT", scene.cluster.pooler_port().to_string())
        .env("POSTGRES_DIRECT_HOST", "127.0.0.1")
        .env("WORKERS", "3");
    Ok(command)
}
