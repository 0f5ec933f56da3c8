//! Slow readers of large answers, in little memory.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use socket2::{Domain, Socket, Type};

use super::probe;
use super::scene::Scene;

/// Readers, what each takes at once, and how often.
const READERS: usize = 300;
const TAKEN_BYTES: usize = 2_000;
const TAKEN_INTERVAL: Duration = Duration::from_millis(100);
/// A receive buffer that holds nothing worth speaking of.
const BUFFER_BYTES: usize = 4_096;
/// Requests that each sends ahead.
const AHEAD: usize = 20;
/// As many rows as a search answers, and more.
const LARGE: usize = 60;

/// Terms that all large warriors hold. Readers of equal ones share a search.
const TERMS: [&str; 8] = [
    "large",
    "warrior+of",
    "storm",
    "large+warrior",
    "the+storm",
    "of+the",
    "of+the+storm",
    "warrior+of+the",
];

/// F2: many readers take large answers slowly. The server stays within its memory, and everybody else is served.
pub(super) fn many(scene: &mut Scene) -> anyhow::Result<()> {
    for number in 0..LARGE {
        let created = probe::create(&scene.target, &large(number), None)?;
        ensure!(
            created.status == 201,
            "a large warrior was answered {}",
            created.status
        );
    }
    let pid = scene.server_pid()?;
    let begun = read_slowly(scene.target.address, scene.seconds(6.0, 30.0));
    ensure!(
        begun >= READERS,
        "only {begun} of {READERS} slow readers could send anything"
    );
    let lives = warrior_stack::proc::is_alive(pid);
    scene.demand(lives, || "the server was killed for its memory".to_owned());
    Ok(())
}

/// A warrior of 20 KB: skills of four-byte characters, as long as they may be.
fn large(number: usize) -> String {
    let skills: Vec<String> = (0..20)
        .map(|skill| format!("\"{}{skill:02}\"", "\u{1F94B}".repeat(248)))
        .collect();
    let skills = skills.join(",");
    format!(
        r#"{{"name":"large warrior of the storm {number}","dob":"1990-01-31","fight_skills":[{skills}]}}"#
    )
}

/// All readers, in turn. One whose answer ended, or that was turned away, is followed by another. Gives
/// how many there were.
fn read_slowly(address: SocketAddr, length: Duration) -> usize {
    let (until, mut begun) = (Instant::now() + length, 0);
    let mut readers: Vec<TcpStream> = Vec::new();
    let mut buffer = [0; TAKEN_BYTES];
    while Instant::now() < until {
        while readers.len() < READERS {
            let Ok(reader) = begin(address, TERMS[begun % TERMS.len()]) else {
                break;
            };
            readers.push(reader);
            begun += 1;
        }
        readers.retain_mut(|reader| match reader.read(&mut buffer) {
            Ok(taken) => taken > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        });
        thread::sleep(TAKEN_INTERVAL);
    }
    begun
}

fn begin(address: SocketAddr, term: &str) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.connect(&address.into())?;
    let mut reader = TcpStream::from(socket);
    let request = format!("GET /warrior?t={term} HTTP/1.1\r\nhost: drill\r\n\r\n");
    reader.write_all(request.repeat(AHEAD).as_bytes())?;
    reader.set_nonblocking(true)?;
    Ok(reader)
}
