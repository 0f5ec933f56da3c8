//! What a measuring program asks of its own process: an orderly end on Ctrl-C, and descriptors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What shells report for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A flag that becomes true at the first Ctrl-C or SIGTERM, so that the run ends in order, with a result.
/// The second signal ends the program at once.
///
/// # Errors
/// When there is no event loop to wait for signals in.
pub fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    });
    Ok(stop)
}

/// As many descriptors as this process may have; each connection is one.
pub fn raise_descriptor_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With fewer the run says so itself when they run out.
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
}

/// The name of the program that runs, as its error lines begin.
pub fn program_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
