//! Faults of the server's own process: killed, restarted, started before what it depends on.

use std::thread;
use std::time::{Duration, Instant};

use super::load::{Load, closed};
use super::probe;
use super::rig::Unanswered;
use super::scene::Scene;

/// Longest drain.
const DRAINED_WITHIN: Duration = Duration::from_secs(10);
/// Connections that are kept alive through restarts, and the pause between two of these.
const KEPT_ALIVE: usize = 64;
const BETWEEN_RESTARTS: Duration = Duration::from_secs(1);
/// Longer than all restarts.
const CLOSED_SECONDS: u32 = 600;

/// D1: the server is killed under load, and started.
pub(super) fn killed(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(3, 20) {
        scene.take_server()?.kill()?;
        scene.evidence.figures.kills += 1;
        scene.start_server()?;
        scene.heals();
    }
    Ok(())
}

/// D2: the server is asked to stop under load, and under kept-alive connections that never rest: it says no at `/ready`
/// first, answers all that was sent, and ends in order.
pub(super) fn restarted(scene: &mut Scene) -> anyhow::Result<()> {
    let (target, database) = (scene.target.clone(), scene.database());
    let directory = scene.directory().to_owned();
    let load = Load {
        target: &target,
        database: Some(&database),
        directory: &directory,
    };
    let times = scene.length.of(2, 20);
    let (restarted, driven) = load.beside(&closed(KEPT_ALIVE, CLOSED_SECONDS), || {
        for _ in 0..times {
            thread::sleep(BETWEEN_RESTARTS);
            restart(scene)?;
        }
        anyhow::Ok(())
    })?;
    let judged = scene.judge_also(&driven, Unanswered::Refused, &target, &database);
    restarted.and(judged)
}

fn restart(scene: &mut Scene) -> anyhow::Result<()> {
    let (server, admin) = (scene.take_server()?, scene.admin.clone());
    let began = Instant::now();
    let (stopped, told) = thread::scope(|scope| {
        let told = scope.spawn(|| {
            // Until the admin listener is gone, or says no.
            loop {
                match probe::status(&admin, "/ready") {
                    Some(200) => thread::sleep(Duration::from_millis(5)),
                    said => return said,
                }
            }
        });
        let stopped = server.stop();
        (stopped, told.join())
    });
    stopped?;
    let took = began.elapsed();
    scene.demand(took <= DRAINED_WITHIN, || {
        format!("the drain took {took:.1?}")
    });
    let told = told.ok().flatten();
    scene.demand(told == Some(503), || {
        format!("while it drains, /ready is {told:?}")
    });
    scene.start_server()?;
    scene.heals();
    Ok(())
}

/// D10: the server is started before PostgreSQL and PgBouncer: it lives, is not ready, and then is.
pub(super) fn started_first(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(1, 5) {
        scene.take_server()?.stop()?;
        scene.cluster.command("stop pooler")?;
        scene.cluster.command("stop postgres")?;
        scene.start_server()?;
        let (live, ready) = (
            probe::status(&scene.admin, "/live"),
            probe::status(&scene.admin, "/ready"),
        );
        scene.demand(live == Some(200), || {
            format!("before its database, /live is {live:?}")
        });
        scene.demand(ready == Some(503), || {
            format!("before its database, /ready is {ready:?}")
        });
        scene.cluster.command("start postgres")?;
        scene.cluster.command("start pooler")?;
        scene.heals();
    }
    Ok(())
}
