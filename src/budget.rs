//! Byte budgets: load shedding by memory. A request or an answer that cannot be charged is refused, so that neither
//! requests that wait nor answers that their clients do not take can use up the memory there is.

use std::io::{self, Write};
use std::sync::Arc;

pub use hyper::body::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A charge above this is large. Large charges leave [`SPARED_PART`] of the budget to small ones: a few clients that
/// do not read large answers must not cost everybody else a find.
const LARGE_ABOVE_BYTES: i64 = 32 * 1024;
/// The part of a budget that large charges leave free: a quarter.
const SPARED_PART: i64 = 4;
/// What a [`Sink`] is charged is a multiple of this: most answers fit into one. [`LARGE_ABOVE_BYTES`] is one, too.
const STEP_BYTES: usize = 4096;

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

/// A writer into memory that is charged before it is taken; a write that does not fit fails.
#[derive(Debug)]
pub struct Sink {
    bytes: Vec<u8>,
    /// Bytes that are charged and taken; the length in the end.
    room: usize,
    charge: Charge,
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

    /// A charge of `bytes`; none when they do not fit.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        let mut charge = self.open();
        charge.grow_to(bytes).then_some(charge)
    }

    /// A writer of bytes that are charged as they come.
    pub fn sink(&self) -> Sink {
        Sink {
            bytes: Vec::new(),
            room: 0,
            charge: self.open(),
        }
    }

    fn open(&self) -> Charge {
        Charge {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

impl Charge {
    /// Charges `bytes` in all. False when they do not fit; earlier charges stay.
    fn grow_to(&mut self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let more = (bytes - self.bytes).max(0);
        let Shared { total, used } = &*self.budget.0;
        let most = match bytes > LARGE_ABOVE_BYTES {
            true => total - total / SPARED_PART,
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

    fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes - i64::try_from(bytes).unwrap_or(i64::MAX);
        self.budget.0.used.dec_by(less);
        self.bytes -= less;
    }
}

impl Sink {
    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes that were written, charged until their last clone is dropped.
    pub fn hold(mut self) -> Bytes {
        self.bytes.shrink_to_fit();
        self.charge.shrink_to(self.bytes.len());
        Bytes::from_owner(Held {
            bytes: self.bytes,
            _charge: self.charge,
        })
    }
}

impl Write for Sink {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let length = self.bytes.len() + part.len();
        if length > self.room {
            // Twice as much each time, or what is needed where that does not fit: a list is moved seldom.
            let rooms =
                [length.max(2 * self.room), length].map(|room| room.next_multiple_of(STEP_BYTES));
            let Some(room) = rooms.into_iter().find(|room| self.charge.grow_to(*room)) else {
                return Err(io::ErrorKind::OutOfMemory.into());
            };
            self.bytes.reserve_exact(room - self.bytes.len());
            self.room = room;
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

    /// A sink with that many bytes; none when they do not fit.
    fn written(budget: &Budget, bytes: usize) -> Option<Sink> {
        let mut sink = budget.sink();
        sink.write_all(&vec![b'x'; bytes]).ok().map(|()| sink)
    }

    #[test]
    fn what_is_held_is_charged_until_its_last_clone_is_dropped() {
        let budget = Budget::new(400 * KIB);
        let held: Vec<Bytes> = (0..3)
            .map(|_| written(&budget, 100 * KIB).unwrap().hold())
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
        let mut large = written(&budget, 300 * KIB).unwrap();
        assert!(large.write_all(b"x").is_err());
        let small: Vec<Charge> = (0..100).map_while(|_| budget.charge(KIB)).collect();
        assert_eq!(small.len(), 100);
        assert!(budget.charge(1).is_none());
        // A write that did not fit took nothing.
        drop((large, small));
        assert!(budget.charge(300 * KIB).is_some());
    }

    #[test]
    fn what_a_list_takes_while_it_grows_is_charged() {
        let budget = Budget::new(300 * KIB);
        let mut sink = budget.sink();
        while sink.write_all(&[b'x'; KIB]).is_ok() {
            let taken = i64::try_from(sink.bytes.capacity()).unwrap();
            assert!(taken <= budget.0.used.get());
        }
        // Where twice as much does not fit, what is needed does: three quarters of the budget, in whole steps.
        assert_eq!(sink.bytes.len(), 224 * KIB);
    }

    #[test]
    fn what_is_held_is_charged_to_the_byte() {
        let budget = Budget::new(10_000);
        let held = written(&budget, 5000).unwrap().hold();
        assert!(budget.charge(5001).is_none());
        assert!(budget.charge(5000).is_some());
        drop(held);
        assert!(budget.charge(10_000).is_some());
    }
}
