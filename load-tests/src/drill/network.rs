//! Faults of the network between the server and PgBouncer: by the fault proxy, and by packet filters.

use std::thread;
use std::time::Duration;

use anyhow::Context;
use warrior_stack::proxy::Cut;

use super::isolation::{self, Direction};
use super::scene::Scene;

/// What begins a statement that creates.
pub(super) const INSERT: &[u8] = b"insert into";
/// Longest time until a moved name is used.
const MOVED_WITHIN: Duration = Duration::from_secs(15);

/// C1: the connection ends after the statement was forwarded, before a byte of its reply.
pub(super) fn cut_before_reply(scene: &mut Scene) -> anyhow::Result<()> {
    cut(scene, &[Cut::Reply])
}

/// C2: all of the reply comes but the message that confirms the commit.
pub(super) fn cut_before_ready(scene: &mut Scene) -> anyhow::Result<()> {
    cut(scene, &[Cut::ReadyForQuery])
}

/// C3: the statement is not forwarded, by an end and by a reset; replies come byte by byte.
pub(super) fn cut_before_statement(scene: &mut Scene) -> anyhow::Result<()> {
    cut(scene, &[Cut::Request, Cut::Reset, Cut::Sliced])
}

fn cut(scene: &mut Scene, cuts: &[Cut]) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(3, 30) {
        for cut in cuts {
            scene.proxy()?.cut_next(*cut, INSERT, 2);
            scene.wait_until("the statements are harmed", |scene| {
                Ok(scene.proxy()?.has_cut(INSERT))
            })?;
            scene.heals();
        }
    }
    Ok(())
}

/// C4: all packets between server and pooler are dropped, both ways, then in each direction alone; no reset tells anybody.
pub(super) fn packets_dropped(scene: &mut Scene) -> anyhow::Result<()> {
    let port = scene.cluster.pooler_port();
    for direction in [Direction::Both, Direction::There, Direction::Back] {
        isolation::drop_packets(port, direction)?;
        scene.hold_unready(scene.seconds(7.0, 60.0));
        isolation::pass_packets()?;
        scene.heals();
    }
    Ok(())
}

/// C5: the peer accepts connections and never answers the startup.
pub(super) fn startup_unanswered(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(1, 3) {
        scene.proxy()?.hang();
        scene.hold_unready(scene.seconds(6.0, 20.0));
        scene.proxy()?.relay();
        scene.heals();
    }
    Ok(())
}

/// C5: the name of the pooler moves to another address, and the old one falls silent.
pub(super) fn name_moved(scene: &mut Scene) -> anyhow::Result<()> {
    for times in 0..scene.length.of(2, 6) {
        let moves = scene.moves.as_ref().context("this drill has no name")?;
        moves.away(times % 2 == 0)?;
        scene.heals_within(MOVED_WITHIN);
    }
    Ok(())
}

/// C6: each piece takes 200 ms, give or take 100.
pub(super) fn delayed(scene: &mut Scene) -> anyhow::Result<()> {
    let (least, most) = (Duration::from_millis(100), Duration::from_millis(300));
    scene.proxy()?.delay(least..=most);
    thread::sleep(scene.seconds(5.0, 60.0));
    scene.proxy()?.delay(Duration::ZERO..=Duration::ZERO);
    Ok(())
}

/// C6: one packet in twenty is lost, and each piece is delayed.
pub(super) fn lossy(scene: &mut Scene) -> anyhow::Result<()> {
    let port = scene.proxy()?.port;
    isolation::lose_packets(port, 5)?;
    let delayed = delayed(scene);
    isolation::pass_packets()?;
    delayed
}
