//! The execution of a batch in two steps, with the claim between them: connect, then run what could be claimed.

use std::time::Instant;

use crate::store::StoreError;

/// How the batches of one lane are executed. Called from several threads at once.
pub trait Work: Send + Sync + 'static {
    /// One request.
    type Request: Send + 'static;
    /// Its answer.
    type Reply: Send + 'static;
    /// A live connection.
    type Session<'s>;

    /// Gets a live connection, and sends nothing of a request: until it is there, none counts as sent.
    ///
    /// # Errors
    /// When there is none; certainly nothing was sent then.
    fn connect(&self) -> Result<Self::Session<'_>, StoreError>;

    /// Runs a batch, and gives one reply for each request, in the same order.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    fn run(
        &self,
        session: &mut Self::Session<'_>,
        batch: &Claimed<'_, Self::Request>,
    ) -> Result<Vec<Self::Reply>, StoreError>;
}

/// Requests that count as sent from now on.
#[derive(Debug)]
pub struct Claimed<'j, Q> {
    /// At least one.
    pub requests: Vec<&'j Q>,
    /// When the last of them stops waiting.
    pub deadline: Instant,
}
