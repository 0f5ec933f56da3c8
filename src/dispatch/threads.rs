//! The end of the lanes' threads.

use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The threads of all lanes, to be joined once [`Dispatch`](super::Dispatch) is dropped.
#[derive(Debug)]
pub struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    pub(super) fn new(threads: Vec<JoinHandle<()>>) -> Self {
        Self(threads)
    }

    /// Waits until every worker has finished its batch, at most `limit`; says whether all have.
    /// A worker whose peer is silent takes longer, and is left to the end of the process. Blocks.
    #[must_use]
    pub fn join(self, limit: Duration) -> bool {
        let (done, all_done) = sync_channel(1);
        let joining = thread::Builder::new()
            .name("join".to_owned())
            .spawn(move || {
                for thread in self.0 {
                    let _ = thread.join();
                }
                let _ = done.send(());
            });
        joining.is_ok() && all_done.recv_timeout(limit).is_ok()
    }
}
