//! Handicaps of a throw-away stack, with which maintainers move the optimum: a delay to the database, and a fraction of
//! its processors.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use warrior_stack::proc::children;

use crate::control::Cluster;
use crate::control_group::{ControlGroup, Limit};

/// Bounds the pieces on their way in one direction of a connection.
const PIECES_MAX: usize = 1024;
/// Longest piece that is read at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// What the database of a stack is held back by.
#[derive(Debug, Default)]
pub(crate) struct Handicap {
    /// Added to each round trip between PgBouncer and PostgreSQL.
    pub(crate) delay: Option<Duration>,
    /// Processors that PostgreSQL may use.
    pub(crate) cpus: Option<f64>,
    /// Holds the quota.
    group: Option<ControlGroup>,
}

impl Handicap {
    /// A delay of each round trip, and so many processors.
    pub(crate) fn new(delay: Option<Duration>, cpus: Option<f64>) -> Handicap {
        Handicap {
            delay,
            cpus,
            group: None,
        }
    }

    /// Imposes it on a stack that runs.
    pub(super) fn impose(&mut self, cluster: &Cluster) -> anyhow::Result<()> {
        if let Some(delay) = self.delay {
            let port = relay_to(cluster.endpoints().postgres.port, delay / 2)
                .context("--database-delay: no port for the relay")?;
            point_pooler(cluster, port).context("--database-delay")?;
        }
        if let Some(cpus) = self.cpus {
            ensure!(
                cpus > 0.0 && cpus.is_finite(),
                "--database-cpus {cpus}: want a number above 0"
            );
            let group = ControlGroup::make(Limit::Cpus(cpus)).context("--database-cpus")?;
            enter(&group, cluster.endpoints().postgres.pid);
            self.group = Some(group);
        }
        Ok(())
    }
}

/// Has PgBouncer connect to another port.
fn point_pooler(cluster: &Cluster, port: u16) -> anyhow::Result<()> {
    let endpoints = cluster.endpoints();
    let path = endpoints.data.join("pgbouncer/stack.ini");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let direct = format!("port={}", endpoints.postgres.port);
    ensure!(
        text.contains(&direct),
        "{} does not say {direct}",
        path.display()
    );
    fs::write(&path, text.replacen(&direct, &format!("port={port}"), 1))?;
    let mut console = cluster.console().connect()?;
    console.simple_query("reload")?;
    console.simple_query("reconnect")?;
    Ok(())
}

/// A relay on a port of its own whose bytes arrive `delay` later, until the process ends.
fn relay_to(port: u16, delay: Duration) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let own = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                continue;
            };
            // Out of descriptors: both connections end.
            let _ = relay(client, server, delay);
        }
    });
    Ok(own)
}

fn relay(client: TcpStream, server: TcpStream, delay: Duration) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    carry(client.try_clone()?, server.try_clone()?, delay);
    carry(server, client, delay);
    Ok(())
}

/// Carries one direction on two threads: one reads, the other writes each piece when it is due.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, pieces) = sync_channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    std::thread::spawn(move || {
        let mut buffer = vec![0; PIECE_BYTES_MAX];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if sender
                .send((Instant::now() + delay, buffer[..read].to_vec()))
                .is_err()
            {
                break;
            }
        }
        from.shutdown(Shutdown::Read).ok();
    });
    std::thread::spawn(move || {
        for (due, piece) in pieces {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
    });
}

/// Puts a postmaster and its children into a group; its later children are born there.
fn enter(group: &ControlGroup, postmaster: u32) {
    let mut all = children(postmaster);
    all.push(postmaster);
    for pid in all {
        // A child that has ended needs no quota.
        fs::write(group.entry(), pid.to_string()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_later_and_whole() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let echo = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().expect("a client");
            let mut bytes = vec![0; 5];
            client.read_exact(&mut bytes).expect("five bytes");
            client.write_all(&bytes).expect("written");
        });
        let delay = Duration::from_millis(50);
        let own = relay_to(port, delay).expect("a port");
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, own)).expect("it listens");
        let began = Instant::now();
        client.write_all(b"hello").expect("written");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("until the end");
        assert_eq!(answer, b"hello");
        assert!(began.elapsed() >= 2 * delay);
        echo.join().expect("no panic");
    }
}
