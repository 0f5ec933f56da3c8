//! Clients that vanish, crowd, or stay without a word.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use warrior_stack::layout;

use super::probe;
use super::scene::Scene;
use crate::target::Target;

/// Transactions that nobody ends any more.
const LEFT_OPEN: &str = "select count(*) from pg_stat_activity \
                         where usename = 'warrior' and state like 'idle in transaction%'";
/// Clients that vanish at the same time.
const VANISHING: usize = 8;
/// Longest wait for a connection: a full listen backlog makes the kernel ask again after seconds.
const OPENED_WITHIN: Duration = Duration::from_secs(8);

/// B8: clients hang up in the middle of their query; PgBouncer lives, and no transaction stays open.
pub(super) fn vanish(scene: &mut Scene) -> anyhow::Result<()> {
    let pooler = scene.endpoints().pooler.pid;
    vanished(scene.target.address, scene.length.of(1_000, 10_000))?;
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
        vanished(scene.target.address, 400)?;
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
    let open = silent(scene.target.address, connections)?;
    thread::sleep(length);
    drop(open);
    Ok(())
}

/// Connections that say nothing. One that the server turns away is as idle; one that was never made is none.
fn silent(address: SocketAddr, connections: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut open = Vec::new();
    for n in 0..connections {
        let opened = TcpStream::connect_timeout(&address, OPENED_WITHIN);
        open.push(opened.with_context(|| {
            format!("only {n} of {connections} silent connections could be made")
        })?);
    }
    Ok(open)
}

/// Sends requests whose answers nobody waits for.
fn vanished(address: SocketAddr, clients: usize) -> anyhow::Result<()> {
    let begun = AtomicUsize::new(0);
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
                    let sent = probe::begin(address, &head, &body).is_ok();
                    begun.fetch_add(usize::from(sent), Ordering::Relaxed);
                }
            });
        }
    });
    let begun = begun.into_inner();
    ensure!(
        2 * begun >= clients,
        "only {begun} of {clients} clients could send anything before they vanished"
    );
    Ok(())
}

/// Many clients that create, each one request after the other; gives the answers that the contract does not know, and how
/// often there was none.
pub(super) fn crowd(
    target: &Target,
    clients: usize,
    length: Duration,
) -> BTreeMap<Option<u16>, u32> {
    let until = Instant::now() + length;
    let strange = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while Instant::now() < until {
                    let reply = probe::create(target, &probe::warrior(), None);
                    let status = reply.ok().map(|reply| reply.status);
                    if !matches!(status, Some(201 | 503 | 504)) {
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn clients_that_reach_nobody_break_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        assert_eq!(silent(address, 3).expect("it listens").len(), 3);
        vanished(address, VANISHING).expect("it listens");
        // Bound, so that nobody else is there, and deaf.
        let deaf = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        deaf.bind(&any.into()).expect("a free port");
        let address = deaf.local_addr().expect("bound").as_socket().expect("IPv4");
        let error = silent(address, 3).expect_err("nobody listens");
        assert!(error.to_string().contains("only 0 of 3"), "{error}");
        let error = vanished(address, VANISHING).expect_err("nobody listens");
        assert!(error.to_string().contains("only 0 of 8"), "{error}");
    }
}
