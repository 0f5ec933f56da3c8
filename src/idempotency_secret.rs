//! The idempotency secret, which ids are derived with: configured, or read from the database in the background.
//!
//! Where none is configured, the database keeps one for all servers. A server starts before its database
//! does, so it may have to wait for the secret, and refuses creates until then: an id under any other
//! secret would be another id, and one warrior two.
//!
//! No server sees the secret of another, and a database keeps one also where another is configured. So each server
//! shows the fingerprint of its secret: two fingerprints are the sign of a server that was forgotten.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::api::{Keys, KnownKeys};
use crate::config::Secret;
use crate::store::Postgres;
use crate::throttle::throttled;

/// Time between two attempts to read the secret.
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(250);
/// The first failure that is logged: earlier ones are of a pool that is still logging in.
const LOGGED_FROM_FAILURE: u64 = 4;

/// Reads the secret in the background until it is known, or the returned guard is dropped.
pub(crate) struct Reading {
    /// The keys, once they are known.
    pub(crate) keys: KnownKeys,
    /// Never sent on: its end is the end of the thread.
    _guard: Option<SyncSender<()>>,
}

/// The fingerprint of a server's secret, as a metric.
#[derive(Clone)]
struct Shown(Family<Fingerprint, Gauge>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fingerprint {
    fingerprint: String,
}

impl Reading {
    /// Keys under a secret that is known already.
    pub(crate) fn known(secret: &Secret, source: &str, registry: &mut Registry) -> Self {
        let keys = Shown::register(registry).keys(secret, source);
        let (_, keys) = watch::channel(Ok(keys));
        Self { keys, _guard: None }
    }

    /// Waits until the secret is known, at most `limit`.
    pub(crate) async fn wait(&mut self, limit: Duration) {
        let known = self.keys.wait_for(Result::is_ok);
        let _ = tokio::time::timeout(limit, known).await;
    }
}

impl Shown {
    fn register(registry: &mut Registry) -> Self {
        let family = Family::default();
        let help =
            "1 for the secret of Idempotency-Keys, which all servers of a database must share";
        registry.register("idempotency_secret", help, family.clone());
        Self(family)
    }

    /// Keys under `secret`, shown.
    fn keys(&self, secret: &Secret, source: &str) -> Keys {
        let keys = Keys::new(secret);
        let fingerprint = keys.fingerprint();
        tracing::info!(
            fingerprint,
            source,
            "Idempotency-Keys have their secret: with another fingerprint on another server of this database, a \
             repeated key stores a warrior twice"
        );
        self.0.get_or_create(&Fingerprint { fingerprint }).set(1);
        keys
    }
}

/// Keys under `secret`, or under the one that `store` gives.
///
/// # Errors
/// When the system refuses a thread.
pub(crate) fn keys(
    secret: Option<&Secret>,
    store: &Postgres,
    registry: &mut Registry,
) -> io::Result<Reading> {
    if let Some(secret) = secret {
        return Ok(Reading::known(secret, "configured", registry));
    }
    let shown = Shown::register(registry);
    let (known, keys) = watch::channel(Err("it has not been read yet".to_owned()));
    let (guard, ended) = sync_channel(0);
    let store = store.clone();
    thread::Builder::new()
        .name("secret".to_owned())
        .spawn(move || read(&store, &shown, &known, &ended))?;
    Ok(Reading {
        keys,
        _guard: Some(guard),
    })
}

fn read(
    store: &Postgres,
    shown: &Shown,
    known: &watch::Sender<Result<Keys, String>>,
    ended: &Receiver<()>,
) {
    for failures in 1_u64.. {
        let why = match store.secret() {
            Ok(Some(secret)) => {
                let _ = known.send_replace(Ok(shown.keys(&secret, "database")));
                return;
            }
            Ok(None) => "public.warrior_secret has no row".to_owned(),
            Err(e) => e.to_string(),
        };
        if failures >= LOGGED_FROM_FAILURE {
            throttled!(
                WARN,
                "creates are refused: the secret of Idempotency-Keys cannot be read",
                lane = "create",
                reason = why.clone()
            );
        }
        let _ = known.send_replace(Err(why));
        if ended.recv_timeout(ATTEMPT_INTERVAL) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
