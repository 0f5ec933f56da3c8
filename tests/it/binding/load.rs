//! Closed-loop load: clients that ask again once they are answered, until the test has seen enough.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::api::warrior;
use crate::http::request;
use crate::support::Ending;

/// Runs `watch` while so many clients repeat `ask`.
pub(super) fn beside<T>(clients: usize, ask: impl Fn() + Sync, watch: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    ask();
                }
            });
        }
        let _ending = Ending(&over);
        watch()
    })
}

/// Creates a warrior, whatever the answer: some limits make it a 503.
pub(super) fn create(public: SocketAddr) {
    let body = warrior("n").to_string();
    request(public, "POST", "/warrior", &[], body.as_bytes());
}
