//! A small HTTP server whose every delay is known, on a thread for each connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the server holds an answer back, and what it answers.
pub struct Behaviour {
    /// How long request `n` (in order of arrival) is held.
    pub delay: Box<dyn Fn(u64) -> Duration + Send + Sync>,
    /// `(every, stall)`: the server does nothing during the last `stall` of each `every`.
    pub stall: Option<(Duration, Duration)>,
    /// The status of request `n`; 0 closes the connection instead. A 503 asks to be left alone for a second.
    pub status: Box<dyn Fn(u64) -> u16 + Send + Sync>,
}

impl Behaviour {
    /// Every answer is a 200 after this delay.
    pub fn fixed(delay: Duration) -> Behaviour {
        Behaviour {
            delay: Box::new(move |_| delay),
            stall: None,
            status: Box::new(|_| 200),
        }
    }
}

/// The server, listening on a free port of loopback until the process ends.
pub struct DelayServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Behaviour,
    started: Instant,
    requests: AtomicU64,
    connections: AtomicU64,
    held_nanos: Mutex<Vec<u64>>,
}

impl DelayServer {
    /// Starts listening.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(behaviour: Behaviour) -> std::io::Result<DelayServer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            behaviour,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            held_nanos: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&accepting);
                shared.connections.fetch_add(1, Ordering::Relaxed);
                // A client that goes away ends its connection's thread, nothing else.
                std::thread::spawn(move || stream.and_then(|stream| serve(stream, &shared)));
            }
        });
        Ok(DelayServer { address, shared })
    }

    /// The URL of its one resource.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How long each request was really held, ascending, in nanoseconds: the truth to compare
    /// with, since a sleep on a busy machine is never exact.
    pub fn held(&self) -> Vec<u64> {
        let mut held = self
            .shared
            .held_nanos
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        held.sort_unstable();
        held
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    // As the generator's threads do: what else runs on the machine shall not be measured. Where
    // it is not allowed, the tests still hold on a machine that is not overloaded.
    rustix::process::setpriority_process(None, -10).ok();
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let Some(length) = request_length(&buffer[..filled]) else {
            continue;
        };
        let arrived = Instant::now();
        buffer.copy_within(length..filled, 0);
        filled -= length;
        let number = shared.requests.fetch_add(1, Ordering::Relaxed);
        wait_until(due(shared, arrived, (shared.behaviour.delay)(number)));
        let held = arrived.elapsed().as_nanos() as u64;
        shared
            .held_nanos
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(held);
        let status = (shared.behaviour.status)(number);
        if status == 0 {
            return Ok(());
        }
        let wait = if status == 503 {
            "Retry-After: 1\r\n"
        } else {
            ""
        };
        let answer = format!("HTTP/1.1 {status} X\r\n{wait}Content-Length: 2\r\n\r\nok");
        stream.write_all(answer.as_bytes())?;
    }
}

/// The length of the first whole request in the bytes.
pub fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head])
        .ok()?
        .to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    (bytes.len() >= head + body).then_some(head + body)
}

fn due(shared: &Shared, arrived: Instant, delay: Duration) -> Instant {
    let due = arrived + delay;
    let Some((every, stall)) = shared.behaviour.stall else {
        return due;
    };
    let into = due.duration_since(shared.started).as_nanos() % every.as_nanos();
    let left = Duration::from_nanos((every.as_nanos() - into) as u64);
    if left <= stall { due + left } else { due }
}

/// Sleeps, then spins over the last stretch, which a sleep would overshoot.
fn wait_until(due: Instant) {
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if left > Duration::from_micros(150) {
            std::thread::sleep(left - Duration::from_micros(100));
        } else {
            std::hint::spin_loop();
        }
    }
}
