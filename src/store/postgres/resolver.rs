//! Name lookups with a deadline: getaddrinfo has none of its own.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// The addresses behind a name, or why there are none.
pub(super) type Addresses = Result<Vec<IpAddr>, String>;

/// Looks one name up, on a thread that lives as long as the lookup. All callers of that time share it (request
/// coalescing), so a name server that keeps silent holds one thread, however many logins give up waiting.
#[derive(Clone, Debug)]
pub(super) struct Resolver(Arc<(Mutex<Lookups>, Condvar)>);

#[derive(Debug)]
struct Lookups {
    running: bool,
    /// How many have ended.
    ended: u64,
    /// The result of the last one.
    last: Addresses,
}

impl Resolver {
    pub(super) fn new() -> Self {
        let none = Lookups {
            running: false,
            ended: 0,
            last: Ok(Vec::new()),
        };
        Self(Arc::new((Mutex::new(none), Condvar::new())))
    }

    /// The result of `look_up`, or of the lookup that is running already; before `until`.
    pub(super) fn ask(
        &self,
        until: Instant,
        look_up: impl FnOnce() -> Addresses + Send + 'static,
    ) -> Addresses {
        let (lookups, ended) = &*self.0;
        let mut lookups = lookups.lock();
        let before = lookups.ended;
        if !lookups.running {
            let resolver = self.clone();
            thread::Builder::new()
                .name("lookup".to_owned())
                .spawn(move || resolver.end(look_up()))
                .map_err(|e| e.to_string())?;
            lookups.running = true;
        }
        ended.wait_while_until(&mut lookups, |now| now.ended == before, until);
        match lookups.ended == before {
            true => Err("the name servers gave no answer in time".to_owned()),
            false => lookups.last.clone(),
        }
    }

    fn end(&self, addresses: Addresses) {
        let (lookups, ended) = &*self.0;
        let mut lookups = lookups.lock();
        lookups.running = false;
        lookups.ended += 1;
        lookups.last = addresses;
        ended.notify_all();
    }
}

/// The addresses of `host`, each once, in the order that the system prefers. Blocks.
pub(super) fn look_up(host: &str) -> Addresses {
    let found = (host, 0).to_socket_addrs().map_err(|e| e.to_string())?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|address| address.ip()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}
