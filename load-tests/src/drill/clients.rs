//! Clients that vanish, crowd, or stay without a word.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use warrior_stack::layout;

use super::probe;
use super::scene::Scene;
use crate::target::Target;

/// Transactions that nobody ends any more.
const LEFT_OPEN: &str = "select count(*) from pg_stat_activity \
                         where usename = 'warrior' and state like 'idle in transaction%'";
/// Clients that vanish at the same time.
const VANISHING: usize = 8;

/// B8: clients hang up in the middle of their query; PgBouncer lives, and no transaction stays open.
pub(super) fn vanish(scene: &mut Scene) -> anyhow::Result<()> {
    let pooler = scene.endpoints().pooler.pid;
    vanished(scene.target.address, scene.length.of(1_000, 10_000));
    let pid = std::fs::read_to_string(layout::pooler_pid(&scene.endpoints().data))?;
    scene.demand(pid.trim() == pooler.to_string(), || {
        "PgBouncer is another process".to_owned()
    });
    let mut admin = scene.superuser()?;
    scene.wait_until("no transaction is left open", |_| {
        Ok(admin.query_one(LEFT_OPEN, &[])?.get::<_, i64>(0) == 0)
    })
}

/// D4: clients hang up while their creates wait behind a lock: those that are queued are dropped, those that are sent end.
pub(super) fn vanish_while_queued(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        let mut admin = scene.superuser()?;
        let mut transaction = admin.transaction()?;
        transaction.batch_execute("lock table warrior in access exclusive mode")?;
        vanished(scene.target.address, 400);
        transaction.rollback()?;
        scene.heals();
        scene.wait_until("no transaction is left open", |_| {
            Ok(admin.query_one(LEFT_OPEN, &[])?.get::<_, i64>(0) == 0)
        })?;
    }
    Ok(())
}

/// D5: more connections than the server has descriptors, which say nothing.
pub(super) fn without_descriptors(scene: &mut Scene) -> anyhow::Result<()> {
    for _ in 0..scene.length.of(2, 10) {
        idle(scene, 300, Duration::from_millis(1_200))?;
        scene.heals();
    }
    Ok(())
}

/// D5: thousands of connections that say nothing.
pub(super) fn idle_thousands(scene: &mut Scene) -> anyhow::Result<()> {
    idle(
        scene,
        scene.length.of(1_000, 8_000),
        scene.seconds(2.0, 10.0),
    )
}

fn idle(scene: &Scene, connections: usize, length: Duration) -> anyhow::Result<()> {
    let mut open = Vec::new();
    for _ in 0..connections {
        // One that the server turns away is as idle.
        let opened = TcpStream::connect_timeout(&scene.target.address, Duration::from_secs(1));
        open.extend(opened.ok());
    }
    thread::sleep(length);
    Ok(())
}

/// Sends requests whose answers nobody waits for.
fn vanished(address: SocketAddr, clients: usize) {
    thread::scope(|scope| {
        for _ in 0..VANISHING {
            scope.spawn(|| {
                for client in 0..clients / VANISHING {
                    let (line, body) = match client % 4 {
                        0 => ("GET /warrior?t=nobody", String::new()),
                        _ => ("POST /warrior", probe::warrior()),
                    };
                    let head = format!("{line} HTTP/1.1\r\nhost: drill\r\n");
                    // A client that is refused has vanished, too.
                    drop(probe::begin(address, &head, &body));
                }
            });
        }
    });
}

/// Many clients that create, each one request after the other; gives the answers that the contract does not know.
pub(super) fn crowd(target: &Target, clients: usize, length: Duration) -> BTreeMap<u16, u32> {
    let until = Instant::now() + length;
    let strange = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while Instant::now() < until {
                    // One that is not answered counts as status 0.
                    let status = probe::create(target, &probe::warrior(), None);
                    let status = status.map_or(0, |reply| reply.status);
                    if !matches!(status, 201 | 503 | 504) {
                        let mut strange = strange.lock().unwrap_or_else(|error| error.into_inner());
                        *strange.entry(status).or_default() += 1;
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    strange
        .into_inner()
        .unwrap_or_else(|error| error.into_inner())
}
