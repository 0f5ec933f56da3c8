//! Named threads, whose refusal by the system is an error and no panic.

use std::io;
use std::thread;

/// Runs `work` on a thread of its own, which nothing joins.
pub(crate) fn detach(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(())
}
