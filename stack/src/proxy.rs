//! Fault injection: a TCP proxy that understands just enough of PostgreSQL's protocol to harm a
//! connection at a chosen message, or all of them at once.

mod network;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::network::Network;

/// Pause between the bytes of an answer that trickles.
const TRICKLE_INTERVAL: Duration = Duration::from_millis(100);
/// Longest piece that is read at once.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// The fault that a statement suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection ends, and the server never sees the statement.
    Request,
    /// The connection ends, and the server executes the statement; not a byte of its answer comes back.
    Reply,
    /// The connection ends, and all of the answer comes back but the ReadyForQuery that confirms the commit.
    ReadyForQuery,
    /// A black hole: the connection stays, and no byte comes back any more.
    Silence,
    /// A black hole in mid-answer: half of the first piece comes back, and no byte after it.
    Half,
    /// The connection stays, and what comes back is no message of the protocol.
    Garbage,
    /// The connection stays, and the server sees the statement so much later.
    Late(Duration),
    /// A slow drip: the connection stays, and a message that never ends comes back byte by byte.
    Trickle,
    /// The connection stays, and what comes back is whole, in writes of one byte.
    Sliced,
    /// The connection is reset (RST), and the server never sees the statement.
    Reset,
}

/// A relay of connections to one port; the next statements after an order suffer it.
pub struct Proxy {
    /// The port that the proxy listens on.
    pub port: u16,
    orders: Arc<Mutex<Vec<Order>>>,
    network: Arc<Network>,
}

/// A fault for the next statements, each on a connection of its own.
struct Order {
    cut: Cut,
    /// The bytes that mark a statement of this order.
    marker: &'static [u8],
    left: usize,
}

impl Proxy {
    /// Listens on a free port and relays to `port`, until the process ends.
    ///
    /// # Errors
    /// When the system refuses a port.
    pub fn to(port: u16) -> io::Result<Self> {
        Self::between((Ipv4Addr::LOCALHOST, 0).into(), port)
    }

    /// Listens on `near` and relays to `port` of 127.0.0.1, until the process ends.
    ///
    /// # Errors
    /// When the system refuses the address.
    pub fn between(near: SocketAddr, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(near)?;
        let proxy = Self {
            port: listener.local_addr()?.port(),
            orders: Arc::default(),
            network: Arc::default(),
        };
        let (orders, network) = (Arc::clone(&proxy.orders), Arc::clone(&proxy.network));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(client) = network.admit(client) else {
                    continue;
                };
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                    continue;
                };
                relay(client, server, &orders, &network);
            }
        });
        Ok(proxy)
    }

    /// Delays each piece, in both directions, by a random time between these. Zero to zero delays nothing.
    pub fn delay(&self, bounds: RangeInclusive<Duration>) {
        self.network.delay(bounds);
    }

    /// Ends all connections, and holds those that come: they are accepted, and nothing is relayed.
    pub fn hang(&self) {
        self.network.hang();
    }

    /// Ends the connections that were held, and relays those that come.
    pub fn relay(&self) {
        self.network.relay();
    }

    /// Orders `cut` for the next `left` statements that contain `marker`. Encrypted statements contain only
    /// the empty marker.
    pub fn cut_next(&self, cut: Cut, marker: &'static [u8], left: usize) {
        let mut orders = locked(&self.orders);
        orders.retain(|order| order.marker != marker);
        orders.push(Order { cut, marker, left });
    }

    /// Whether all orders for this marker have been carried out.
    pub fn has_cut(&self, marker: &[u8]) -> bool {
        let orders = locked(&self.orders);
        orders.iter().all(|order| order.marker != marker)
    }
}

/// Relays both directions, each on a thread; both threads end when either side is closed.
fn relay(
    client: Arc<TcpStream>,
    server: TcpStream,
    orders: &Arc<Mutex<Vec<Order>>>,
    network: &Arc<Network>,
) {
    let server = Arc::new(server);
    let pending: Arc<Mutex<Option<Cut>>> = Arc::default();
    let (to_client, to_server) = (Arc::clone(&client), Arc::clone(&server));
    let (orders, cut) = (Arc::clone(orders), Arc::clone(&pending));
    let (there, back) = (Arc::clone(network), Arc::clone(network));
    thread::spawn(move || requests(&client, &to_server, &orders, &pending, &there));
    thread::spawn(move || replies(&server, &to_client, &cut, &back));
}

/// A statement arrives in one write, which begins with Parse ('P') or Query ('Q') unless it is encrypted.
fn requests(
    mut from: &TcpStream,
    mut to: &TcpStream,
    orders: &Mutex<Vec<Order>>,
    pending: &Mutex<Option<Cut>>,
    network: &Network,
) {
    let mut buffer = vec![0; PIECE_BYTES_MAX];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let cut = carry_out(&mut locked(orders), &buffer[..n]);
        match cut {
            Some(Cut::Request) => break,
            Some(Cut::Reset) => {
                *locked(pending) = cut;
                // The reset goes out when the last owner closes the socket; a shutdown would say goodbye first.
                let _ = network::reset_at_close(from);
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
            Some(Cut::Late(delay)) => thread::sleep(delay),
            Some(_) => *locked(pending) = cut,
            None => {}
        }
        network.pause();
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    close(from, to);
}

/// The fault for these bytes, if there is an order for them.
fn carry_out(orders: &mut Vec<Order>, bytes: &[u8]) -> Option<Cut> {
    let suffers = |order: &&mut Order| {
        order.marker.is_empty()
            || (matches!(bytes[0], b'P' | b'Q') && contains(bytes, order.marker))
    };
    let order = orders.iter_mut().find(suffers)?;
    order.left -= 1;
    let cut = order.cut;
    orders.retain(|order| order.left > 0);
    Some(cut)
}

fn replies(
    mut from: &TcpStream,
    mut to: &TcpStream,
    pending: &Mutex<Option<Cut>>,
    network: &Network,
) {
    let mut buffer = vec![0; PIECE_BYTES_MAX];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        network.pause();
        let cut = *locked(pending);
        let pass = match cut {
            Some(Cut::Reply | Cut::Request | Cut::Reset) => break,
            // ReadyForQuery is 'Z', a length of 5, and one byte of status.
            Some(Cut::ReadyForQuery) => match buffer[..n].ends_with(b"Z\0\0\0\x05I") {
                true => {
                    let _ = to.write_all(&buffer[..n - 6]);
                    break;
                }
                false => n,
            },
            Some(Cut::Silence) => 0,
            Some(Cut::Half) => {
                *locked(pending) = Some(Cut::Silence);
                n / 2
            }
            Some(Cut::Garbage) => match to.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n") {
                Ok(()) => 0,
                Err(_) => break,
            },
            Some(Cut::Trickle) => {
                // DataRow, and a length of 16 MiB.
                let mut bytes = b"D\x01\0\0\0".iter().chain(std::iter::repeat(&0));
                while bytes.next().is_some_and(|b| to.write_all(&[*b]).is_ok()) {
                    thread::sleep(TRICKLE_INTERVAL);
                }
                break;
            }
            Some(Cut::Sliced) => match write_sliced(to, &buffer[..n]) {
                Ok(()) => 0,
                Err(_) => break,
            },
            None | Some(Cut::Late(_)) => n,
        };
        if to.write_all(&buffer[..pass]).is_err() {
            break;
        }
    }
    if *locked(pending) != Some(Cut::Reset) {
        close(from, to);
    }
}

/// Each byte in a packet of its own.
fn write_sliced(mut to: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    to.set_nodelay(true)?;
    bytes.iter().try_for_each(|byte| to.write_all(&[*byte]))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn close(a: &TcpStream, b: &TcpStream) {
    let _ = a.shutdown(Shutdown::Both);
    let _ = b.shutdown(Shutdown::Both);
}
