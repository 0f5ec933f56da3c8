//! Idempotency keys: ids, and the keys that make a create repeatable.
//!
//! An id is derived from a client's `Idempotency-Key` by HMAC, so no table of keys is needed and every
//! instance with the same secret comes to the same id. A client that sent no key gets a fresh id, and
//! on an unknown outcome a key that stands for it: the id itself, signed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::{Builder, Uuid};

use crate::config::Secret;

/// Marks a key that this server has made; it cannot collide with a client's, since it is signed.
const PREFIX: &str = "warrior-";

/// Derives and checks, with a secret that all instances share.
#[derive(Clone)]
pub struct Keys {
    mac: Hmac<Sha256>,
}

impl Keys {
    /// Keys under `secret`.
    pub fn new(secret: &Secret) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mac = Hmac::new_from_slice(secret.expose().as_bytes()).expect("any length is fine");
        Self { mac }
    }

    /// Tells two secrets apart and gives neither away: a client that sees its id knows more.
    pub fn fingerprint(&self) -> String {
        let hash = self.mac(b"secret:", b"").finalize().into_bytes();
        format!("{:08x}", first_16(&hash).as_fields().0)
    }

    /// A fresh id for a client without a key, ordered by time.
    pub fn fresh() -> Uuid {
        Uuid::now_v7()
    }

    /// The id that belongs to `key`: the one it carries if this server made it, else one derived.
    pub fn id(&self, key: &str) -> Uuid {
        self.carried(key).unwrap_or_else(|| {
            let hash = self.mac(b"key:", key.as_bytes()).finalize().into_bytes();
            Builder::from_custom_bytes(first_16(&hash).into_bytes()).into_uuid()
        })
    }

    /// A key that stands for `id`.
    pub fn key_of(&self, id: Uuid) -> String {
        let signature = self.signature(id).finalize().into_bytes();
        format!("{PREFIX}{}-{}", id.simple(), first_16(&signature).simple())
    }

    /// The id in a key that this server made.
    fn carried(&self, key: &str) -> Option<Uuid> {
        let (id, signature) = key.strip_prefix(PREFIX)?.split_once('-')?;
        let id = Uuid::try_parse(id).ok()?;
        let signature = Uuid::try_parse(signature).ok()?;
        self.signature(id)
            .verify_truncated_left(signature.as_bytes())
            .is_ok()
            .then_some(id)
            // Written as it was made: a load balancer compares texts, and would derive another id.
            .filter(|id| self.key_of(*id) == key)
    }

    /// Over the id as text, so that a load balancer with the secret can make such a key too, for creates
    /// that it may have to answer itself: see balancer/haproxy.cfg.
    fn signature(&self, id: Uuid) -> Hmac<Sha256> {
        let mut text = [0; uuid::fmt::Simple::LENGTH];
        self.mac(b"id:", id.simple().encode_lower(&mut text).as_bytes())
    }

    fn mac(&self, domain: &[u8], data: &[u8]) -> Hmac<Sha256> {
        self.mac.clone().chain_update(domain).chain_update(data)
    }
}

fn first_16(hash: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Uuid::from_bytes(bytes)
}
