//! Port allocation on loopback: the ports asked for, or free ones.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::TcpListener;
use std::ops::Range;

use crate::error::StackError;
use crate::layout::LOOPBACK;
use crate::settings::Embedded;

/// The range of free ports, below the system's ephemeral range (from 32768 on Linux, from 49152 on macOS).
/// In that one a client that dials a stopped server's port again and again can be given that very port as
/// its own, and then talks to itself (TCP self-connect).
const FREE_PORTS: Range<u16> = 20_000..32_000;

/// The two ports of a stack.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) postgres: u16,
    pub(crate) pooler: u16,
}

impl Ports {
    /// The ports asked for, or free ones in the place of 0.
    pub(crate) fn claim(embedded: &Embedded) -> Result<Self, StackError> {
        // Both listeners live for a moment, so that the ports cannot be the same.
        let (postgres, _held) = claim("POSTGRES_DIRECT_PORT", embedded.postgres_port)?;
        let (pooler, _held_too) = claim("POSTGRES_PORT", embedded.pooler_port)?;
        Ok(Self { postgres, pooler })
    }

    /// Whether another program listens on one of the ports now that nothing of this stack does.
    pub(crate) fn is_lost(&self) -> bool {
        !(is_free(self.postgres) && is_free(self.pooler))
    }
}

/// Two ports of loopback that nobody listened on a moment ago, for a server and its admin listener. No client of this
/// machine is given one of them as its own meanwhile.
///
/// # Errors
/// When there are none.
pub fn free_ports() -> Result<(u16, u16), StackError> {
    let (public, _held) = claim("PORT", 0)?;
    let (admin, _held_too) = claim("ADMIN_PORT", 0)?;
    Ok((public, admin))
}

/// The port that `variable` asks for, or a free one when it is 0, held by a listener.
fn claim(variable: &'static str, port: u16) -> Result<(u16, TcpListener), StackError> {
    let taken = || StackError::PortTaken {
        variable,
        port,
        look: look(port),
    };
    let hold = |port| {
        TcpListener::bind((LOOPBACK, port))
            .ok()
            .map(|held| (port, held))
    };
    if port != 0 {
        return hold(port).ok_or_else(taken);
    }
    let span = u64::from(FREE_PORTS.end - FREE_PORTS.start);
    (0..1000)
        .filter_map(|_| u16::try_from(random() % span).ok())
        .find_map(|offset| hold(FREE_PORTS.start + offset))
        .ok_or_else(taken)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((LOOPBACK, port)).is_ok()
}

/// A seed: std gives each `RandomState` another, and the process id separates stacks that start at once.
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

    fn embedded(postgres_port: u16, pooler_port: u16) -> Embedded {
        Embedded {
            data: None,
            full_size: false,
            pooler_port,
            postgres_port,
            postgres_bin: None,
            pgbouncer: None,
        }
    }

    #[test]
    fn free_ports_differ_and_a_taken_one_names_its_variable() {
        let ports = Ports::claim(&embedded(0, 0)).unwrap();
        assert_ne!(ports.postgres, ports.pooler);
        let held = TcpListener::bind((LOOPBACK, ports.pooler)).unwrap();
        assert!(ports.is_lost());
        let refused = |postgres, pooler| match Ports::claim(&embedded(postgres, pooler)) {
            Err(StackError::PortTaken { variable, .. }) => variable,
            _ => panic!("a taken port was accepted"),
        };
        assert_eq!(refused(0, ports.pooler), "POSTGRES_PORT");
        assert_eq!(refused(ports.pooler, 0), "POSTGRES_DIRECT_PORT");
        drop(held);
        assert_eq!(refused(ports.pooler, ports.pooler), "POSTGRES_PORT");
        let (public, admin) = free_ports().unwrap();
        assert!(public != admin && FREE_PORTS.contains(&public) && FREE_PORTS.contains(&admin));
    }
}
