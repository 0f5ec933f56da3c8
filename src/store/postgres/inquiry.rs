//! Inquiries: sessions of a person's command, outside any pool, each of whose questions has a deadline.

use std::time::{Duration, Instant};

use postgres::{Client, SimpleQueryRow};

use super::deadline::Deadline;
use super::login::{Login, login, login_direct};
use super::login_error::LoginError;
use super::pooler;
use crate::config::Database;

/// Longest time of one question, on the socket.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for a session to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A session. After a question that was not answered in time its connection is gone, and every further one fails.
pub(crate) struct Inquiry {
    client: Client,
    deadline: Deadline,
}

impl Inquiry {
    /// Logs in as requests do, or to a pooler's console.
    ///
    /// # Errors
    /// After `database.connect_timeout` at the latest.
    pub(crate) fn open(database: &Database) -> Result<Self, LoginError> {
        login(database).map(Self::of)
    }

    /// As [`open`](Self::open), with the mark that only a direct connection carries; see
    /// [`connect_direct`](super::connect_direct).
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub(crate) fn open_direct(database: &Database) -> Result<Self, LoginError> {
        login_direct(database).map(Self::of)
    }

    fn of(login: Login) -> Self {
        Self {
            client: login.client,
            deadline: login.deadline,
        }
    }

    /// Asks one question.
    pub(crate) fn ask<T>(&mut self, question: impl FnOnce(&mut Client) -> T) -> T {
        self.ask_within(QUESTION_TIMEOUT, question)
    }

    /// Asks questions that share a longer time.
    pub(crate) fn ask_within<T>(
        &mut self,
        limit: Duration,
        questions: impl FnOnce(&mut Client) -> T,
    ) -> T {
        self.deadline.set(Some(Instant::now() + limit));
        questions(&mut self.client)
    }

    /// The rows of a command of a pooler's console.
    pub(crate) fn show(&mut self, command: &str) -> Result<Vec<SimpleQueryRow>, postgres::Error> {
        self.ask(|client| pooler::show(client, command))
    }
}

impl Drop for Inquiry {
    fn drop(&mut self) {
        self.deadline.set(Some(Instant::now() + CLOSE_TIMEOUT));
    }
}
