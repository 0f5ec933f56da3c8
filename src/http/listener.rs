//! Listening sockets.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::config::Listen;

/// Connections that the kernel keeps for us while all of ours are taken.
const BACKLOG: i32 = 4096;

/// Listens, with a send buffer of so many bytes for each connection: the kernel's own choice grows to megabytes, which
/// count as memory of the control group. Must be called within a tokio runtime.
///
/// # Errors
/// Names the address, and for a port in use the command that shows who has it.
pub fn bind(listen: Listen, send_buffer: usize) -> io::Result<TcpListener> {
    let address = SocketAddr::new(listen.host, listen.port);
    open(address, send_buffer).map_err(|e| {
        let next = match e.kind() {
            io::ErrorKind::AddrInUse => {
                format!(
                    "; `ss -ltnp 'sport = :{}'` shows who has it",
                    address.port()
                )
            }
            _ => String::new(),
        };
        io::Error::new(e.kind(), format!("cannot listen on {address}: {e}{next}"))
    })
}

fn open(address: SocketAddr, send_buffer: usize) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for the sockets of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Connections inherit it from their listener.
    socket.set_send_buffer_size(send_buffer)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
