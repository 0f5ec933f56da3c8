//! Ids that are derived from keys, and keys that lead back to ids.

use super::*;

#[test]
fn a_key_gives_one_id_under_one_secret() {
    let keys = |secret: &str| Keys::new(&crate::config::Secret::new(secret));
    let (ours, others) = (keys("ours"), keys("others"));
    let id = ours.id("0123456789abcdef");
    assert_eq!(ours.id("0123456789abcdef"), id);
    assert_ne!(ours.id("0123456789abcdeg"), id);
    assert_ne!(others.id("0123456789abcdef"), id);
    assert_eq!(id.get_version_num(), 8);
    // A key made under another secret is only a text like any other.
    let foreign = others.key_of(Keys::fresh());
    assert_eq!(ours.id(&foreign).get_version_num(), 8);
}

/// The load balancer makes such keys too, with `openssl dgst -sha256 -hmac` of the same text: see
/// balancer/haproxy.cfg.
#[test]
fn a_key_is_signed_over_the_text_of_its_id() {
    let keys = Keys::new(&crate::config::Secret::new("of the balancer"));
    let id = uuid::uuid!("0192f0c1-d2e3-7abc-8def-0123456789ab");
    let key = "warrior-0192f0c1d2e37abc8def0123456789ab-20698bee5da7a40414012948570fb01b";
    assert_eq!(keys.key_of(id), key);
    assert_eq!(keys.id(key), id);
    // hmac("key:a-client-chose-this") begins with 644987c3f1627575d08dc6f6b73aab3c.
    let derived = uuid::uuid!("644987c3-f162-8575-908d-c6f6b73aab3c");
    assert_eq!(keys.id("a-client-chose-this"), derived);
}
