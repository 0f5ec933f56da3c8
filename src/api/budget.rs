//! Memory of large answers. A search may find 50 warriors of 20 KB each, and its client may read slowly: without
//! a bound, a few hundred such clients would take all the memory there is.

use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Problem;
use crate::dispatch::Reason;

/// Bytes of large answers that may wait for their clients at once: 16 of the largest there are.
const ANSWERS_MAX: usize = 16 * MIB;
/// Smaller answers are not counted; connections bound them as they bound the bodies of requests.
const LARGE: usize = 32 * 1024;
const MIB: usize = 1024 * 1024;

/// What is left of [`ANSWERS_MAX`].
#[derive(Clone)]
pub(super) struct Budget(Arc<Semaphore>);

/// An answer with the part of the budget that it takes until its last byte is handed to the kernel.
struct Counted {
    json: Bytes,
    _part: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

impl Budget {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ANSWERS_MAX)))
    }

    /// The JSON of an answer to a read, counted.
    ///
    /// # Errors
    /// When too many bytes wait for their clients already; a read may be repeated.
    pub(super) fn admit(&self, json: Bytes) -> Result<Bytes, Problem> {
        if json.len() <= LARGE {
            return Ok(json);
        }
        let size = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let part = Arc::clone(&self.0)
            .try_acquire_many_owned(size)
            .map_err(|_| Problem::NotDone(Reason::QueueFull))?;
        Ok(Bytes::from_owner(Counted { json, _part: part }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_take_their_part_until_they_are_dropped() {
        let budget = Budget::new();
        let answer = || Bytes::from(vec![b'x'; MIB]);
        let waiting: Vec<_> = (0..16).map(|_| budget.admit(answer())).collect();
        assert!(waiting.iter().all(|a| a.as_ref() == Ok(&answer())));
        let refused = Err(Problem::NotDone(Reason::QueueFull));
        assert_eq!(budget.admit(answer()), refused);
        let small = Bytes::from(vec![b'x'; LARGE]);
        assert_eq!(budget.admit(small.clone()), Ok(small));
        drop(waiting);
        assert_eq!(budget.admit(answer()), Ok(answer()));
    }
}
