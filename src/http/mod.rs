//! Sockets and hyper: connections, their limits, keep-alive and drain. A leaf: what is asked and answered is the
//! business of the function that each listener is given.

mod body;

mod data_rate;

mod connection;

mod server;

mod listener;

pub use body::{BODY_MAX, BODY_TIMEOUT, BodyError};
pub use listener::bind;
pub use server::{Limits, Phase, serve};

#[cfg(test)]
mod tests;
