//! Byte budgets: load shedding by memory. What cannot be charged is refused, so that neither requests that wait nor
//! answers that their clients do not take can use up the memory there is.

use std::sync::Arc;

pub use hyper::body::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A charge above this is large. Large charges leave [`SPARED`] of the budget to small ones: a few clients that
/// do not read large answers must not refuse a find to everybody.
const LARGE: i64 = 32 * 1024;
/// The part of a budget that large charges leave free: a quarter.
const SPARED: i64 = 4;

/// Bytes that may be in use at once. Clones share them.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: i64,
    used: Gauge,
}

/// Bytes in use, given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: Budget,
    bytes: i64,
}

impl Budget {
    /// A budget of `total` bytes.
    pub fn new(total: usize) -> Self {
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        Self(Arc::new(Shared {
            total,
            used: Gauge::default(),
        }))
    }

    /// Registers the gauges `{name}_bytes` and `{name}_bytes_max`.
    pub fn register(&self, registry: &mut Registry, name: &str, what: &str) {
        let max = Gauge::<i64>::default();
        max.set(self.0.total);
        registry.register(format!("{name}_bytes"), what, self.0.used.clone());
        let help = format!("Most of {name}_bytes");
        registry.register(format!("{name}_bytes_max"), help, max);
    }

    /// A charge of nothing yet, to be [grown](Charge::grow_to).
    pub fn open(&self) -> Charge {
        Charge {
            budget: self.clone(),
            bytes: 0,
        }
    }

    /// A charge of `bytes`; none when they do not fit.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        let mut charge = self.open();
        charge.grow_to(bytes).then_some(charge)
    }
}

impl Charge {
    /// Charges `bytes` in all. False when they do not fit; what was charged stays so.
    #[must_use]
    pub fn grow_to(&mut self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let more = (bytes - self.bytes).max(0);
        let Shared { total, used } = &*self.budget.0;
        let most = match bytes > LARGE {
            true => total - total / SPARED,
            false => *total,
        };
        let fits = used.inc_by(more).saturating_add(more) <= most;
        if fits {
            self.bytes += more;
        } else {
            used.dec_by(more);
        }
        fits
    }

    /// `bytes`, which stay charged until the last clone is dropped.
    pub fn hold(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Held {
            bytes,
            _charge: self,
        })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.used.dec_by(self.bytes);
    }
}

/// Bytes with their charge.
struct Held {
    bytes: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn what_is_held_is_charged_until_its_last_clone_is_dropped() {
        let budget = Budget::new(400 * KIB);
        let held: Vec<Bytes> = (0..3)
            .map(|_| {
                budget
                    .charge(100 * KIB)
                    .unwrap()
                    .hold(vec![b'x'; 100 * KIB])
            })
            .collect();
        assert!(budget.charge(100 * KIB).is_none());
        let clone = held[0].clone();
        drop(held);
        assert_eq!(clone.len(), 100 * KIB);
        let rest = budget.charge(200 * KIB).unwrap();
        assert!(budget.charge(100 * KIB).is_none());
        drop((clone, rest));
        assert!(budget.charge(300 * KIB).is_some());
    }

    #[test]
    fn large_charges_leave_a_quarter_to_small_ones() {
        let budget = Budget::new(400 * KIB);
        let mut large = budget.open();
        assert!(large.grow_to(300 * KIB));
        assert!(!large.grow_to(301 * KIB));
        let small: Vec<Charge> = (0..100).map_while(|_| budget.charge(KIB)).collect();
        assert_eq!(small.len(), 100);
        assert!(budget.charge(1).is_none());
        // What did not fit took nothing.
        drop((large, small));
        assert!(budget.charge(300 * KIB).is_some());
    }
}
