//! The answer to a create, as the generator reports it.

/// The outcome of a create, as far as a ledger records it.
#[derive(Clone, Debug)]
pub enum Answered<'a> {
    /// A complete answer.
    Whole {
        /// The status code.
        status: u16,
        /// The `Location` header.
        location: Option<&'a str>,
        /// The body, of which only that of a 504 is read.
        body: &'a [u8],
    },
    /// Sent, and no complete answer came; why.
    Cut(String),
    /// Never sent; why.
    Unsent(String),
}
