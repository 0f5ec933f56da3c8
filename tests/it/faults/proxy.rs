//! A TCP proxy that understands just enough of PostgreSQL's protocol to cut a connection at a chosen
//! message.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// What a connection is cut before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server never sees the statement.
    Request,
    /// The server executes the statement; not a byte of its answer comes back.
    Reply,
    /// All of the answer comes back but the word that it is committed.
    ReadyForQuery,
}

/// Relays connections to one port; the next statement after an order is cut.
pub(super) struct Proxy {
    pub(super) port: u16,
    order: Arc<Mutex<Option<Cut>>>,
}

impl Proxy {
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            order: Arc::default(),
        };
        let order = Arc::clone(&proxy.order);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                    continue;
                };
                relay(&client, &server, &order);
            }
        });
        proxy
    }

    pub(super) fn cut_next(&self, cut: Cut) {
        *self.order.lock().unwrap() = Some(cut);
    }

    /// Whether the last order has been carried out.
    pub(super) fn has_cut(&self) -> bool {
        self.order.lock().unwrap().is_none()
    }
}

/// Two threads, one for each direction; both end when either side is closed.
fn relay(client: &TcpStream, server: &TcpStream, order: &Arc<Mutex<Option<Cut>>>) {
    let pending: Arc<Mutex<Option<Cut>>> = Arc::default();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (order, cut) = (Arc::clone(order), Arc::clone(&pending));
    thread::spawn(move || requests(from_client, to_server, &order, &pending));
    thread::spawn(move || replies(from_server, to_client, &cut));
}

/// A statement arrives in one write that begins with Parse ('P').
fn requests(
    mut from: TcpStream,
    mut to: TcpStream,
    order: &Mutex<Option<Cut>>,
    pending: &Mutex<Option<Cut>>,
) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let insert = buffer[0] == b'P' && contains(&buffer[..n], b"insert into");
        if let Some(cut) = order.lock().unwrap().take_if(|_| insert) {
            if cut == Cut::Request {
                break;
            }
            *pending.lock().unwrap() = Some(cut);
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    close(&from, &to);
}

fn replies(mut from: TcpStream, mut to: TcpStream, pending: &Mutex<Option<Cut>>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let pass = match *pending.lock().unwrap() {
            Some(Cut::Reply | Cut::Request) => break,
            // ReadyForQuery is 'Z', a length of 5, and one byte of status.
            Some(Cut::ReadyForQuery) => match buffer[..n].ends_with(b"Z\0\0\0\x05I") {
                true => {
                    let _ = to.write_all(&buffer[..n - 6]);
                    break;
                }
                false => n,
            },
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
