//! The plain schema: how it comes about, and what a server on it does otherwise than on the tuned one. The contract itself
//! is that of every store ([`crate::stores`]).

mod apply;
mod search;
mod serving;
