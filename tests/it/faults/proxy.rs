//! A TCP proxy that understands just enough of PostgreSQL's protocol to do harm to a connection at a
//! chosen message.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The connection ends, and the server never sees the statement.
    Request,
    /// The connection ends, and the server executes the statement; not a byte of its answer comes back.
    Reply,
    /// The connection ends, and all of the answer comes back but the word that it is committed.
    ReadyForQuery,
    /// The connection stays, and nothing comes back any more.
    Silence,
    /// The connection stays, and what comes back is no message of the protocol.
    Garbage,
    /// The connection stays, and of one message that never ends a byte comes back now and then.
    Trickle,
}

/// What begins a statement that creates.
pub(crate) const INSERT: &[u8] = b"insert into";

/// Relays connections to one port; the next statements after an order suffer it.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    orders: Arc<Mutex<Vec<Order>>>,
}

/// What is to become of the statements that come next, each on a connection of its own.
struct Order {
    cut: Cut,
    /// What a statement contains that suffers it.
    marker: &'static [u8],
    left: usize,
}

impl Proxy {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            orders: Arc::default(),
        };
        let orders = Arc::clone(&proxy.orders);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                    continue;
                };
                relay(&client, &server, &orders);
            }
        });
        proxy
    }

    /// Orders that the next statements that contain `marker` suffer `cut`, so many of them. What is
    /// encrypted contains nothing but the empty marker.
    pub(crate) fn cut_next(&self, cut: Cut, marker: &'static [u8], left: usize) {
        let order = Order { cut, marker, left };
        self.orders.lock().unwrap().push(order);
    }

    /// Whether all orders for this marker have been carried out.
    pub(crate) fn has_cut(&self, marker: &[u8]) -> bool {
        let orders = self.orders.lock().unwrap();
        orders.iter().all(|order| order.marker != marker)
    }
}

/// Two threads, one for each direction; both end when either side is closed.
fn relay(client: &TcpStream, server: &TcpStream, orders: &Arc<Mutex<Vec<Order>>>) {
    let pending: Arc<Mutex<Option<Cut>>> = Arc::default();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (orders, cut) = (Arc::clone(orders), Arc::clone(&pending));
    thread::spawn(move || requests(from_client, to_server, &orders, &pending));
    thread::spawn(move || replies(from_server, to_client, &cut));
}

/// A statement arrives in one write, which begins with Parse ('P') or Query ('Q') unless it is encrypted.
fn requests(
    mut from: TcpStream,
    mut to: TcpStream,
    orders: &Mutex<Vec<Order>>,
    pending: &Mutex<Option<Cut>>,
) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let cut = carry_out(&mut orders.lock().unwrap(), &buffer[..n]);
        if cut == Some(Cut::Request) {
            break;
        }
        if cut.is_some() {
            *pending.lock().unwrap() = cut;
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    close(&from, &to);
}

/// What these bytes suffer, if there is an order for them.
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

fn replies(mut from: TcpStream, mut to: TcpStream, pending: &Mutex<Option<Cut>>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let pending = *pending.lock().unwrap();
        let pass = match pending {
            Some(Cut::Reply | Cut::Request) => break,
            // ReadyForQuery is 'Z', a length of 5, and one byte of status.
            Some(Cut::ReadyForQuery) => match buffer[..n].ends_with(b"Z\0\0\0\x05I") {
                true => {
                    let _ = to.write_all(&buffer[..n - 6]);
                    break;
                }
                false => n,
            },
            Some(Cut::Silence) => 0,
            Some(Cut::Garbage) => match to.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n") {
                Ok(()) => 0,
                Err(_) => break,
            },
            Some(Cut::Trickle) => {
                // DataRow, and a length of 16 MiB.
                let mut bytes = b"D\x01\0\0\0".iter().chain(std::iter::repeat(&0));
                while bytes.next().is_some_and(|b| to.write_all(&[*b]).is_ok()) {
                    thread::sleep(Duration::from_millis(100));
                }
                break;
            }
            None => n,
        };
        if to.write_all(&buffer[..pass]).is_err() {
            break;
        }
    }
    close(&from, &to);
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn close(a: &TcpStream, b: &TcpStream) {
    let _ = a.shutdown(Shutdown::Both);
    let _ = b.shutdown(Shutdown::Both);
}
