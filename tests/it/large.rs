//! Answers of a megabyte, and clients whose sockets hold little of them.

use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::support::Fresh;

/// More rows than the fifty that a search for `large` finds.
const FILL: &str = "insert into public.warrior (name, dob, fight_skills)
                    select 'large ' || n, '1990-01-31', array_fill(repeat('🥋', 250), array[20])
                      from generate_series(1, 60) as n";

/// Fills the table, so that `GET /warrior?t=large` is answered with a megabyte.
pub(crate) fn fill(database: &Fresh) {
    database.owner().batch_execute(FILL).unwrap();
}

/// A client whose socket holds little.
pub(crate) fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    TcpStream::from(socket)
}
