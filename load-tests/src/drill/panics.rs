//! Panics of workers, which nothing outside a server can cause: a server of the tests' own has a store that panics.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::probe;
use super::scene::Scene;
use super::watch::Held;
use crate::server::Server;

/// What a server counts panics by.
const COUNTER: &str = "warrior_worker_panics_total{lane=\"";
/// The load before the first look at what the server holds.
const WARM_UP: Duration = Duration::from_secs(3);

/// D3: workers of every lane panic now and then, before the send and after it; the rest is served, by as many workers.
pub(super) fn of_workers(scene: &mut Scene) -> anyhow::Result<()> {
    let server = &scene.programs().server;
    let program = server.with_file_name("examples").join("panicking-server");
    ensure!(
        program.exists(),
        "{} does not exist; build it with `cargo build --release --example panicking-server`, or without --release",
        program.display()
    );
    let mut command = scene.cluster.server_command(&program)?;
    command
        .env("POSTGRES_HOST", "127.0.0.1")
        .env("POSTGRES_PORT", scene.cluster.pooler_port().to_string())
        .env("POSTGRES_DIRECT_HOST", "127.0.0.1")
        // Names of functions take 40 MiB for good.
        .env("RUST_BACKTRACE", "0");
    let (port, admin) = (scene.target.address.port(), scene.admin.address.port());
    scene.take_server()?.stop()?;
    scene.server = Some(Server::start_on(command, port, admin)?);
    scene.heals();
    thread::sleep(WARM_UP);
    let pid = scene.server_pid()?;
    let before = Held::by(pid).context("the server has ended")?;
    thread::sleep(scene.seconds(5.0, 60.0));
    let metrics = probe::get(&scene.admin, "/metrics")?.body;
    let panics = panics(&metrics);
    for lane in ["create", "find", "search"] {
        scene.demand(panics.get(lane).is_some_and(|number| *number > 0), || {
            format!("the server counts no panic of {lane}: {panics:?}")
        });
    }
    for grown in before.grown(pid, scene.seconds(5.0, 15.0), || {}) {
        scene.demand(false, || format!("while workers panic: {grown}"));
    }
    scene.take_server()?.stop()?;
    scene.start_server()
}

/// The panics of each lane.
fn panics(metrics: &str) -> BTreeMap<String, u64> {
    let counters = metrics.lines().filter_map(|line| {
        let (lane, number) = line.strip_prefix(COUNTER)?.split_once("\"} ")?;
        Some((lane.to_owned(), number.parse().ok()?))
    });
    counters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panics_of_each_lane_are_read() {
        let metrics = "# EOF\nwarrior_worker_panics_total{lane=\"create\"} 3\n\
                       warrior_worker_panics_total{lane=\"find\"} 0\n";
        let read: Vec<_> = panics(metrics).into_iter().collect();
        assert_eq!(read, [("create".to_owned(), 3), ("find".to_owned(), 0)]);
    }
}
