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
    prepare: Prepare,
}

/// What comes between a login and its first question.
type Prepare = fn(&mut Login) -> Result<(), Trouble>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) refusal: Refusal,
}

impl Link {
    pub(super) fn new(database: Database, prepare: Prepare) -> Result<Self, TlsError> {
        Ok(Self {
            logins: Logins::new(database)?,
            login: None,
            prepare,
        })
    }

    /// Asks, after a login where there is no connection. A connection whose questions fail is closed.
    pub(super) fn ask<T>(
        &mut self,
        questions: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, Trouble> {
        let mut login = match self.login.take() {
            Some(login) if !login.client.is_closed() => login,
            _ => self.log_in()?,
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
                let trouble = Trouble::from(e);
                Err(self.located(trouble))
            }
        }
    }

    fn log_in(&self) -> Result<Login, Trouble> {
        let mut login = self.logins.login().map_err(|e| Trouble {
            why: e.to_string(),
            refusal: e.refusal(),
        })?;
        login.deadline.set(Some(Instant::now() + QUESTIONS_TIMEOUT));
        let prepared = (self.prepare)(&mut login);
        if prepared.is_err() {
            login.deadline.set(Some(Instant::now() + CLOSE_TIMEOUT));
        }
        prepared.map_err(|trouble| self.located(trouble))?;
        Ok(login)
    }

    fn located(&self, trouble: Trouble) -> Trouble {
        Trouble {
            why: format!("{}: {}", self.logins.at(), trouble.why),
            ..trouble
        }
    }
}

impl From<postgres::Error> for Trouble {
    fn from(error: postgres::Error) -> Self {
        Self {
            why: chain(&error),
            refusal: Refusal::of(&error),
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
