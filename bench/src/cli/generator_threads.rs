//! The default number of generator threads.

/// Bounds the generator's threads: more than four are never its limit.
const THREADS_MAX: usize = 4;

/// One for each core. A single thread is itself the limit of what a bare HTTP server is seen to do.
pub(super) fn generator_threads() -> usize {
    num_cpus::get().min(THREADS_MAX)
}
