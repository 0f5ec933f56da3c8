//! Little memory, taken by clients: bodies that never end, bodies in single bytes, then crowds that say nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use socket2::{Domain, Socket, Type};
use warrior_stack::proc::is_alive;

use super::scene::Scene;

/// Clients that send all but the end of the largest body. The load's connections find places beside them.
const STALLED: usize = 300;
const BODY_BYTES: usize = 64 << 10;
/// Clients that send it byte by byte, each byte in a segment of its own, and for how long: less than a body may take.
const TRICKLING: usize = 50;
const TRICKLED: Duration = Duration::from_secs(4);
/// How often they are looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long a crowd stays: less than requests may wait behind it.
const CROWDED: Duration = Duration::from_millis(1_200);

/// D5: the server stays within its memory, and serves everybody else.
pub(super) fn taken_by_clients(scene: &mut Scene) -> anyhow::Result<()> {
    let pid = scene.server_pid()?;
    let most = stall(scene.target.address, scene.seconds(6.0, 30.0));
    ensure!(
        2 * most > STALLED,
        "only {most} of {STALLED} clients could stall at a time"
    );
    scene.heals();
    trickle(scene.target.address)?;
    scene.heals();
    // As many as the kernel keeps for a server whose places are all taken, and twenty thousand in all.
    for _ in 0..scene.length.of(2, 5) {
        crowd(scene.target.address, scene.length.of(2_000, 4_000))?;
        scene.heals();
    }
    scene.demand(is_alive(pid), || {
        "the server was killed for its memory".to_owned()
    });
    Ok(())
}

/// Clients whose bodies never end; one that is turned away is followed by another. Gives how many there were at a time.
fn stall(address: SocketAddr, length: Duration) -> usize {
    let (until, mut most) = (Instant::now() + length, 0);
    let request = head() + &" ".repeat(BODY_BYTES - 1);
    let mut clients: Vec<TcpStream> = Vec::new();
    while Instant::now() < until {
        while clients.len() < STALLED && Instant::now() < until {
            let Ok(client) = begin(address, &request) else {
                break;
            };
            clients.push(client);
        }
        most = most.max(clients.len());
        // There is nothing to read before the server loses patience.
        clients.retain_mut(|client| {
            let read = client.read(&mut [0]);
            read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        });
        thread::sleep(POLL);
    }
    most
}

/// Bodies in as many segments as can be sent: what a server keeps of a read must not depend on how little it brought.
fn trickle(address: SocketAddr) -> std::io::Result<()> {
    let mut clients = Vec::with_capacity(TRICKLING);
    for _ in 0..TRICKLING {
        let client = begin(address, &head())?;
        client.set_nodelay(true)?;
        clients.push(client);
    }
    let until = Instant::now() + TRICKLED;
    while Instant::now() < until {
        for client in &mut clients {
            // One that the server no longer reads is left alone.
            client.write_all(b" ").ok();
        }
    }
    Ok(())
}

fn head() -> String {
    format!("POST /warrior HTTP/1.1\r\nhost: drill\r\ncontent-length: {BODY_BYTES}\r\n\r\n")
}

fn begin(address: SocketAddr, request: &str) -> std::io::Result<TcpStream> {
    let mut client = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    client.set_write_timeout(Some(Duration::from_secs(1)))?;
    client.write_all(request.as_bytes())?;
    client.set_nonblocking(true)?;
    Ok(client)
}

/// Connections that say nothing, all at once and for a while.
fn crowd(address: SocketAddr, connections: usize) -> std::io::Result<()> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Nobody waits for one that the server does not take.
        socket.set_nonblocking(true)?;
        socket.connect(&address.into()).ok();
        open.push(socket);
    }
    thread::sleep(CROWDED);
    Ok(())
}
