//! Errors of a login, and what can be changed about each.

use std::time::Duration;

use super::refusal::Refusal;
use super::tls::TlsError;
use crate::config::SecretError;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The password file cannot be used.
    #[error(transparent)]
    Password(#[from] SecretError),
    /// The CA file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server refused, or cannot be reached.
    #[error("cannot log in to {at}: {why}")]
    Refused {
        /// Host and port.
        at: String,
        /// The chain of causes; for a host of several addresses, of each of them.
        why: String,
        /// What can be changed about it.
        refusal: Refusal,
    },
    /// The server accepted the connection and then kept silent.
    #[error("no login at {at} within {limit:?}: the server accepts connections and keeps silent")]
    Silent {
        /// Host and port.
        at: String,
        /// The deadline.
        limit: Duration,
    },
    /// Logins fail, and another one is on trial; why the last one failed.
    #[error("{0}")]
    Failing(String),
}

impl LoginError {
    /// What can be changed about it.
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::Password(_) => Refusal::Credentials,
            Self::Tls(_) => Refusal::Certificate,
            Self::Refused { refusal, .. } => *refusal,
            Self::Silent { .. } | Self::Failing(_) => Refusal::Unreachable,
        }
    }
}
