//! Faults of PgBouncer: its process, its console, and what other clients leave in its connections.

use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use warrior_stack::DATABASE;
use warrior_stack::proc::is_alive;

use super::scene::Scene;

/// How long a signal may take to end PgBouncer before it is started anew, which ends it otherwise.
const END_POLLS: u32 = 100;
const END_POLL: Duration = Duration::from_millis(20);

/// B1: PgBouncer is stopped, and goes on: what it answers late must reach nobody else.
pub(super) fn stopped(scene: &mut Scene) -> anyhow::Result<()> {
    let pid = scene.endpoints().pooler.pid;
    scene.signal(pid, Signal::SIGSTOP)?;
    scene.hold_unready(scene.seconds(6.0, 30.0));
    scene.signal(pid, Signal::SIGCONT)
}

/// B2: PgBouncer is killed and started.
pub(super) fn killed(scene: &mut Scene) -> anyhow::Result<()> {
    ended(scene, Signal::SIGKILL, scene.length.of(3, 20))
}

/// B2: PgBouncer is interrupted, which waits for transactions, and started.
pub(super) fn interrupted(scene: &mut Scene) -> anyhow::Result<()> {
    ended(scene, Signal::SIGINT, scene.length.of(1, 10))
}

/// B2: PgBouncer is terminated, at once before 1.23 and when its clients have left since, and started.
pub(super) fn terminated(scene: &mut Scene) -> anyhow::Result<()> {
    ended(scene, Signal::SIGTERM, scene.length.of(1, 10))
}

fn ended(scene: &mut Scene, signal: Signal, times: u32) -> anyhow::Result<()> {
    for _ in 0..times {
        let pid = scene.endpoints().pooler.pid;
        scene.signal(pid, signal)?;
        for _ in 0..END_POLLS {
            if !is_alive(pid) {
                break;
            }
            thread::sleep(END_POLL);
        }
        scene.cluster.command("start pooler")?;
        scene.heals();
    }
    Ok(())
}

/// B3: short pauses, which cost time and nothing else, and a long one.
pub(super) fn paused(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        scene.console("pause")?;
        thread::sleep(Duration::from_millis(500));
        scene.console("resume")?;
        scene.heals();
    }
    scene.console("pause")?;
    scene.hold_unready(scene.seconds(6.0, 30.0));
    scene.console("resume")
}

/// B4: commands of the console that replace connections.
pub(super) fn commanded(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(1, 5) {
        for command in ["reconnect", "reload"] {
            scene.console(command)?;
            scene.heals();
        }
        for (breaks, mends) in [("kill", "resume"), ("disable", "enable")] {
            scene.console(&format!("{breaks} {DATABASE}"))?;
            thread::sleep(scene.seconds(1.0, 3.0));
            scene.console(&format!("{mends} {DATABASE}"))?;
            scene.heals();
        }
    }
    Ok(())
}

/// B5: PostgreSQL is down behind a PgBouncer that lives.
pub(super) fn without_postgres(scene: &mut Scene) -> anyhow::Result<()> {
    scene.cluster.command("stop postgres")?;
    scene.hold_unready(scene.seconds(6.0, 60.0));
    scene.cluster.start()
}

/// F4: another client leaves the pooled connections read only.
pub(super) fn setting_left(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(1, 5) {
        for setting in [
            "set session characteristics as transaction read only",
            "set default_transaction_read_only = on",
        ] {
            for _ in 0..8 {
                // Each takes the connection that was used last, so the load is what spreads them.
                scene.pooled()?.simple_query(setting)?;
                thread::sleep(Duration::from_millis(50));
            }
            thread::sleep(scene.seconds(1.0, 3.0));
            scene.heals();
        }
    }
    Ok(())
}
