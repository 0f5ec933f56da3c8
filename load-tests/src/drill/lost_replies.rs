//! Replies that never come, on connections that stay open: what a pooler or a network device does that forgets.

use std::thread;
use std::time::Duration;

use warrior_stack::proxy::Cut;

use super::network::INSERT;
use super::scene::Scene;

/// Workers that create, by the rig's variables.
pub(super) const WORKERS_CREATE: usize = 2;

/// F1: each worker that creates loses a reply: to silence, to bytes that are no message, to a drip, and to half of it. The
/// lane serves again without a restart.
pub(super) fn each_worker(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(1, 5) {
        for cut in [Cut::Silence, Cut::Garbage, Cut::Trickle, Cut::Half] {
            scene.proxy()?.cut_next(cut, INSERT, WORKERS_CREATE);
            scene.wait_until("each worker has lost a reply", |scene| {
                Ok(scene.proxy()?.has_cut(INSERT))
            })?;
            // A worker gives up after the deadline of its batch and a margin.
            thread::sleep(Duration::from_secs(3));
            scene.heals();
        }
    }
    Ok(())
}

/// F1: statements reach the database after their deadline.
pub(super) fn late(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        let late = Cut::Late(Duration::from_secs(5));
        scene.proxy()?.cut_next(late, INSERT, WORKERS_CREATE);
        scene.wait_until("each worker is held up", |scene| {
            Ok(scene.proxy()?.has_cut(INSERT))
        })?;
        thread::sleep(Duration::from_secs(6));
        scene.heals();
    }
    Ok(())
}
