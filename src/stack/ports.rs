//! Ports on loopback: the ones asked for, or free ones.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use super::StackError;

/// The only address that the stack listens on.
pub(super) const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Free ports are taken from below the system's own range for outgoing connections (from 32768 on
/// Linux, from 49152 on macOS). Inside it, a client that dials a stopped server's port again and
/// again can be given that very port as its own, and then talks to itself.
const FREE: Range<u16> = 20_000..32_000;

/// The port that `variable` asks for, or a free one when it is 0.
pub(super) fn claim(variable: &'static str, port: u16) -> Result<u16, StackError> {
    if port != 0 {
        return if is_free(port) {
            Ok(port)
        } else {
            Err(StackError::PortTaken {
                variable,
                port,
                look: look(port),
            })
        };
    }
    let span = u64::from(FREE.end - FREE.start);
    (0..1000)
        .filter_map(|_| u16::try_from(random() % span).ok())
        .map(|offset| FREE.start + offset)
        .find(|&port| is_free(port))
        .ok_or(StackError::PortTaken {
            variable,
            port,
            look: look(port),
        })
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((LOOPBACK, port)).is_ok()
}

/// Std seeds each `RandomState` differently, and the process id separates stacks that start at once.
fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

fn look(port: u16) -> String {
    if cfg!(target_os = "macos") {
        format!("lsof -nP -iTCP:{port} -sTCP:LISTEN")
    } else {
        format!("ss -ltnp 'sport = :{port}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_variable() {
        let port = claim("POSTGRES_PORT", 0).unwrap();
        let listener = TcpListener::bind((LOOPBACK, port)).unwrap();
        let error = claim("POSTGRES_PORT", port).unwrap_err();
        drop(listener);
        assert!(
            matches!(error, StackError::PortTaken { variable: "POSTGRES_PORT", port: p, .. } if p == port)
        );
        assert_eq!(claim("POSTGRES_PORT", port).unwrap(), port);
    }
}
