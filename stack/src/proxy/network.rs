//! The state of a network that all connections of a proxy share: its delay, and whether it relays at all.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};

use super::locked;

#[derive(Default)]
pub(super) struct Network {
    delay: Mutex<(Duration, Duration)>,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    hangs: bool,
    open: Vec<Weak<TcpStream>>,
    held: Vec<TcpStream>,
}

impl Network {
    /// A connection to be relayed; none while those that come are held.
    pub(super) fn admit(&self, client: TcpStream) -> Option<Arc<TcpStream>> {
        let mut connections = locked(&self.connections);
        if connections.hangs {
            connections.held.push(client);
            return None;
        }
        let client = Arc::new(client);
        connections.open.retain(|open| open.strong_count() > 0);
        connections.open.push(Arc::downgrade(&client));
        Some(client)
    }

    pub(super) fn hang(&self) {
        let mut connections = locked(&self.connections);
        connections.hangs = true;
        for open in connections.open.drain(..).filter_map(|open| open.upgrade()) {
            // One that the client has closed is gone already.
            let _ = open.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn relay(&self) {
        let mut connections = locked(&self.connections);
        connections.hangs = false;
        connections.held.clear();
    }

    pub(super) fn delay(&self, bounds: RangeInclusive<Duration>) {
        *locked(&self.delay) = bounds.into_inner();
    }

    /// Waits for as long as a piece is delayed.
    pub(super) fn pause(&self) {
        let (least, most) = *locked(&self.delay);
        if most.is_zero() {
            return;
        }
        let span = most.saturating_sub(least).as_micros() as u64;
        // Each state of the standard library's hasher is drawn anew.
        let drawn = RandomState::new().build_hasher().finish() % (span + 1);
        thread::sleep(least + Duration::from_micros(drawn));
    }
}

/// Has the socket send RST instead of FIN when it is closed.
pub(super) fn reset_at_close(socket: &TcpStream) -> io::Result<()> {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    Ok(setsockopt(socket, sockopt::Linger, &linger)?)
}
