//! A cancellation token: any thread asks for the stop, and every wait of the others ends at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A stop that may be asked for, once and for good. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Asks for the stop.
    pub fn ask(&self) {
        *self.asked() = true;
        self.0.1.notify_all();
    }

    /// Waits until the stop is asked for.
    pub fn wait(&self) {
        drop(self.0.1.wait_while(self.asked(), |asked| !*asked));
    }

    /// Waits at most `limit` for the stop; whether it has been asked for.
    pub fn wait_within(&self, limit: Duration) -> bool {
        let (asked, _) = self
            .0
            .1
            .wait_timeout_while(self.asked(), limit, |asked| !*asked)
            .unwrap_or_else(PoisonError::into_inner);
        *asked
    }

    fn asked(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_every_wait_and_stays() {
        let stop = Stop::default();
        assert!(!stop.wait_within(Duration::ZERO));
        let other = stop.clone();
        let waiting = std::thread::spawn(move || other.wait());
        stop.ask();
        waiting.join().unwrap();
        stop.wait();
        assert!(stop.wait_within(Duration::from_secs(600)));
    }
}
