//! Rate limiting of log lines that repeat.
//!
//! A failure is logged at once; its repetitions are only counted. The count follows after a second, and
//! then after twice as long each time (exponential backoff), up to [`WINDOW_MAX`]: a storm costs a dozen lines, however
//! many failures it is made of. A window without repetitions ends the storm, and the next failure is logged at once.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::Level;

/// The first window of a kind of line.
const WINDOW_MIN: Duration = Duration::from_secs(1);
/// Windows grow until they are this long.
const WINDOW_MAX: Duration = Duration::from_secs(64);
/// Kinds that are remembered without a sweep, which forgets those whose window is over.
const KINDS_UNSWEPT_MAX: usize = 256;

static THROTTLE: Throttle = Throttle {
    windows: Mutex::new(Windows(BTreeMap::new())),
    held: Condvar::new(),
};

/// Lines of one kind share a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) level: Level,
    pub(crate) message: &'static str,
    /// Empty where there is none.
    pub(crate) lane: &'static str,
    /// Distinguishes failures with the same message: few values, and none that a client chooses.
    pub(crate) reason: Cow<'static, str>,
}

/// Lines that were counted and not logged since the last one of their kind; nothing when there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Held {
    pub(crate) lines: Option<u64>,
    pub(crate) seconds: Option<f64>,
}

/// Logs at a bounded rate, with `held_back` and `over_seconds` where lines of the same kind (level, message,
/// lane, reason) were only counted.
macro_rules! throttled {
    ($level:ident, $message:literal, lane = $lane:expr, reason = $reason:expr $(, $($fields:tt)+)?) => {{
        let lane: &'static str = $lane;
        let kind = $crate::throttle::Kind {
            level: tracing::Level::$level,
            message: $message,
            lane,
            reason: ::std::borrow::Cow::from($reason),
        };
        if let Some(held) = $crate::throttle::admit(kind) {
            tracing::event!(
                tracing::Level::$level,
                lane = (!lane.is_empty()).then_some(lane),
                $($($fields)+,)?
                held_back = held.lines,
                over_seconds = held.seconds,
                $message
            );
        }
    }};
}
pub(crate) use throttled;

/// The message of a panic, as far as it is text.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

struct Throttle {
    windows: Mutex<Windows>,
    /// Wakes the thread of [`start`] when a window holds its first line.
    held: Condvar,
}

struct Windows(BTreeMap<Kind, Window>);

#[derive(Clone, Copy)]
struct Window {
    opened: Instant,
    length: Duration,
    held: u64,
}

/// Whether a line may be logged now; otherwise it is counted.
pub(crate) fn admit(kind: Kind) -> Option<Held> {
    let mut windows = THROTTLE.lock();
    let (admitted, first) = windows.admit(kind, Instant::now());
    drop(windows);
    if first {
        THROTTLE.held.notify_one();
    }
    admitted
}

/// Starts the one thread that logs counts whose storm has ended.
///
/// # Errors
/// When the system refuses a thread.
pub(crate) fn start() -> io::Result<()> {
    thread::Builder::new()
        .name("log-counts".to_owned())
        .spawn(run)
        .map(drop)
}

/// Logs all counts, at the end of the program.
pub(crate) fn flush() {
    let counts = THROTTLE.lock().take_all(Instant::now());
    counts.iter().for_each(log);
}

fn run() {
    let mut windows = THROTTLE.lock();
    loop {
        let now = Instant::now();
        let counts = windows.due(now);
        if !counts.is_empty() {
            // Without the lock: a slow reader of the log must hold up no request.
            drop(windows);
            counts.iter().for_each(log);
            windows = THROTTLE.lock();
            continue;
        }
        windows = match windows.next_due() {
            Some(at) => {
                let wait = at.saturating_duration_since(now);
                let (woken, _) = (THROTTLE.held)
                    .wait_timeout(windows, wait)
                    .unwrap_or_else(PoisonError::into_inner);
                woken
            }
            None => (THROTTLE.held.wait(windows)).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

fn log((kind, held): &(Kind, Held)) {
    let Held { lines, seconds } = *held;
    let lane = Some(kind.lane).filter(|lane| !lane.is_empty());
    let (reason, message) = (&*kind.reason, kind.message);
    // The level of an event is part of its code.
    match kind.level {
        Level::ERROR => {
            tracing::error!(
                lane,
                reason,
                held_back = lines,
                over_seconds = seconds,
                "{message}"
            );
        }
        Level::WARN => {
            tracing::warn!(
                lane,
                reason,
                held_back = lines,
                over_seconds = seconds,
                "{message}"
            );
        }
        _ => tracing::info!(
            lane,
            reason,
            held_back = lines,
            over_seconds = seconds,
            "{message}"
        ),
    }
}

// === impl Throttle ===

impl Throttle {
    fn lock(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Windows ===

impl Windows {
    /// Whether a line may be logged, and whether it is the first that its window holds back.
    fn admit(&mut self, kind: Kind, now: Instant) -> (Option<Held>, bool) {
        if self.0.len() >= KINDS_UNSWEPT_MAX {
            self.0
                .retain(|_, window| window.held > 0 || !window.is_over(now));
        }
        let Some(window) = self.0.get_mut(&kind) else {
            self.0.insert(kind, Window::open(now));
            return (Some(Held::default()), false);
        };
        if window.is_over(now) {
            return (Some(window.renew(now)), false);
        }
        window.held += 1;
        (None, window.held == 1)
    }

    /// The counts of the windows that are over; those that held nothing are forgotten.
    fn due(&mut self, now: Instant) -> Vec<(Kind, Held)> {
        self.0
            .retain(|_, window| window.held > 0 || !window.is_over(now));
        (self.0.iter_mut())
            .filter(|(_, window)| window.is_over(now))
            .map(|(kind, window)| (kind.clone(), window.renew(now)))
            .collect()
    }

    /// When the first count will be due.
    fn next_due(&self) -> Option<Instant> {
        let holding = self.0.values().filter(|window| window.held > 0);
        holding.map(|window| window.opened + window.length).min()
    }

    fn take_all(&mut self, now: Instant) -> Vec<(Kind, Held)> {
        let windows = std::mem::take(&mut self.0).into_iter();
        windows
            .filter(|(_, window)| window.held > 0)
            .map(|(kind, mut window)| (kind, window.renew(now)))
            .collect()
    }
}

// === impl Window ===

impl Window {
    fn open(now: Instant) -> Self {
        Self {
            opened: now,
            length: WINDOW_MIN,
            held: 0,
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.opened) >= self.length
    }

    /// Gives what it held and begins the next one, which is longer while lines repeat.
    fn renew(&mut self, now: Instant) -> Held {
        let over = now.saturating_duration_since(self.opened);
        let next = Self {
            length: match self.held {
                0 => WINDOW_MIN,
                _ => (2 * self.length).min(WINDOW_MAX),
            },
            ..Self::open(now)
        };
        let held = std::mem::replace(self, next).held;
        Held {
            lines: Some(held).filter(|lines| *lines > 0),
            seconds: (held > 0).then(|| (over.as_secs_f64() * 10.0).round() / 10.0),
        }
    }
}

#[cfg(test)]
mod tests;
