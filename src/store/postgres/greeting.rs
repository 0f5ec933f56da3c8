//! The greeting of a login: the backend that it promises, which the client keeps to itself.
//!
//! PostgreSQL's BackendKeyData names the backend that a cancel request is for. A pooler cannot hand its backends' keys on,
//! since a client is served by many: so the key tells whether a session is a backend's own, behind any address
//! translation.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Tags of messages: BackendKeyData, and ReadyForQuery, which ends the greeting.
const KEY: u8 = b'K';
const READY: u8 = b'Z';
/// Longest part of a greeting that is kept while a message is incomplete; a longer one promises nothing.
const PART_BYTES_MAX: usize = 64 * 1024;

/// The process id of the promised backend. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Promise(Arc<AtomicI32>);

/// Reads along until the greeting has ended.
#[derive(Debug)]
pub(super) struct Greeting {
    part: Vec<u8>,
    promise: Promise,
}

impl Promise {
    /// None before the greeting, and where it made none.
    pub(super) fn backend(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }
}

impl Greeting {
    pub(super) fn new(promise: Promise) -> Self {
        Self {
            part: Vec::new(),
            promise,
        }
    }

    /// Reads the next bytes; whether more are to come.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        self.part.extend_from_slice(bytes);
        // A tag, then a length that counts itself.
        while let Some((&[tag, length @ ..], rest)) = self.part.split_first_chunk::<5>() {
            let length = (u32::from_be_bytes(length) as usize).saturating_sub(4);
            let Some(body) = rest.get(..length) else {
                return self.part.len() <= PART_BYTES_MAX;
            };
            if tag == KEY
                && let Some(pid) = body.first_chunk()
            {
                self.promise
                    .0
                    .store(i32::from_be_bytes(*pid), Ordering::Relaxed);
            }
            if tag == KEY || tag == READY {
                return false;
            }
            self.part.drain(..5 + length);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AuthenticationOk, a ParameterStatus, BackendKeyData, ReadyForQuery.
    const GREETING: &[u8] =
        b"R\0\0\0\x08\0\0\0\0S\0\0\0\x09a\0bc\0K\0\0\0\x0c\0\x01\x02\x03\x09\x09\x09\x09Z\0\0\0\x05I";

    #[test]
    fn the_promise_is_read_however_the_greeting_is_cut() {
        for piece in 1..=GREETING.len() {
            let promise = Promise::default();
            let mut greeting = Greeting::new(promise.clone());
            assert!(GREETING.chunks(piece).any(|bytes| !greeting.read(bytes)));
            assert_eq!(promise.backend(), Some(0x0001_0203), "{piece}");
        }
    }

    #[test]
    fn a_greeting_may_promise_nothing() {
        let promise = Promise::default();
        assert!(!Greeting::new(promise.clone()).read(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"));
        assert_eq!(promise.backend(), None);
        let endless = [b"S\xff\xff\xff\xff".as_slice(), &[0; PART_BYTES_MAX]].concat();
        assert!(!Greeting::new(promise).read(&endless));
    }
}
