//! HTTP server: connections, their limits, keep-alive and drain. Requests and answers are the business of the function
//! that each listener is given, so this imports nothing but the configuration of a listener and the throttle of logs.

mod fault;

mod head;

mod body;

mod data_rate;

mod refused;

mod write_times;

mod connection;

mod server;

mod listener;

pub use body::{BODY_MAX, BODY_TIMEOUT};
pub use connection::{HEAD_MAX, Phase};
pub use fault::{Fault, Received};
pub use head::{TARGET_MAX, members};
pub use listener::bind;
pub use server::{Limits, serve};
pub use write_times::{Answer, WriteTimes};

#[cfg(test)]
mod tests;
