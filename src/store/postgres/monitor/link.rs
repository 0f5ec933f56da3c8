//! A connection for questions: it is opened again once it is gone, and every question has a deadline.

use std::time::{Duration, Instant};

use postgres::Client;

use crate::config::Database;
use crate::store::postgres::error::chain;
use crate::store::postgres::login::{Login, Logins};
use crate::store::postgres::refusal::Refusal;
use crate::store::postgres::tls::TlsError;

/// Longest time of all questions of one sample.
const QUESTIONS_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time of a close.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection that lasts as long as its questions are answered.
pub(super) struct Link {
    logins: Logins,
    login: Option<Login>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) refusal: Refusal,
}

impl Link {
    pub(super) fn new(database: Database) -> Result<Self, TlsError> {
        Ok(Self {
            logins: Logins::new(database)?,
            login: None,
        })
    }

    /// Asks, after a login where there is no connection. A connection whose questions fail is closed.
    pub(super) fn ask<T>(
        &mut self,
        questions: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, Trouble> {
        let mut login = match self.login.take() {
            Some(login) if !login.client.is_closed() => login,
            _ => self.logins.login().map_err(|e| Trouble {
                why: e.to_string(),
                refusal: e.refusal(),
            })?,
        };
        login.deadline.set(Some(Instant::now() + QUESTIONS_TIMEOUT));
        match questions(&mut login.client) {
            Ok(answer) => {
                self.login = Some(login);
                Ok(answer)
            }
            Err(e) => {
                // It may still owe an answer, which is not waited for.
                login.deadline.set(Some(Instant::now()));
                Err(Trouble {
                    why: format!("{}: {}", self.logins.at(), chain(&e)),
                    refusal: Refusal::of(&e),
                })
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(login) = &self.login {
            login.deadline.set(Some(Instant::now() + CLOSE_TIMEOUT));
        }
    }
}
