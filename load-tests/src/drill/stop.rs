//! A server that is told to stop again, while it finishes what is open.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::probe;
use super::scene::Scene;

/// Creates that wait for a lock.
const WAITING: &str = "select count(*) from pg_locks \
                       where not granted and relation = 'warrior'::regclass";
/// What a shell reports of a process that SIGTERM ended.
const ENDED_BY_SIGTERM: i32 = 128 + Signal::SIGTERM as i32;
/// Longest end that waits for nothing.
const AT_ONCE: Duration = Duration::from_secs(1);

/// D2: a second SIGTERM ends a server that waits for open creates, at once.
pub(super) fn twice(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        let mut admin = scene.superuser()?;
        let mut lock = admin.transaction()?;
        lock.batch_execute("lock table warrior in access exclusive mode")?;
        scene.wait_until("a create waits for the lock", |scene| {
            let waiting = scene.superuser()?.query_one(WAITING, &[])?;
            Ok(waiting.get::<_, i64>(0) > 0)
        })?;
        let server = scene.take_server()?;
        server.signal(Signal::SIGTERM)?;
        scene.wait_until("the server says that it drains", |scene| {
            Ok(probe::status(&scene.admin, "/ready") == Some(503))
        })?;
        let began = Instant::now();
        server.signal(Signal::SIGTERM)?;
        let status = server.wait()?;
        let took = began.elapsed();
        scene.demand(status.code() == Some(ENDED_BY_SIGTERM), || {
            format!("after a second SIGTERM the server ended with {status}")
        });
        scene.demand(took <= AT_ONCE, || {
            format!("after a second SIGTERM the server ended in {took:.1?}")
        });
        lock.rollback()?;
        scene.start_server()?;
        scene.heals();
    }
    Ok(())
}
