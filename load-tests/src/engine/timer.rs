//! A timer that wakes tasks within microseconds.
//!
//! tokio's own timers tick in milliseconds, which would add up to a millisecond to every latency
//! that counts from an intended moment. A timerfd wakes the same event loop within microseconds.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Clock, clock_gettime};
use tokio::io::unix::AsyncFd;

/// Nanoseconds on the machine's monotonic clock, the one clock of a run.
pub fn now() -> u64 {
    match clock_gettime(Clock::CLOCK_MONOTONIC) {
        Ok(time) => time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64,
        // Linux has had this clock since 2.6; without it nothing here can be measured.
        Err(error) => unreachable!("CLOCK_MONOTONIC: {error}"),
    }
}

/// Wakes tasks of one thread at given moments. [`PreciseTimer::drive`] must run beside them.
pub(super) struct PreciseTimer {
    fd: AsyncFd<OwnedTimer>,
    waiting: RefCell<BinaryHeap<Reverse<Sleeper>>>,
    armed_for: Cell<u64>,
}

impl PreciseTimer {
    /// A timer of the current tokio runtime.
    pub(super) fn new() -> io::Result<Rc<PreciseTimer>> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let fd = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).map_err(io::Error::from)?;
        Ok(Rc::new(PreciseTimer {
            fd: watch(OwnedTimer(fd))?,
            waiting: RefCell::default(),
            armed_for: Cell::new(u64::MAX),
        }))
    }

    /// Completes at `at` (of [`now`]), or at once when that has passed.
    pub(super) fn sleep_until(self: &Rc<Self>, at: u64) -> impl Future<Output = ()> + use<> {
        Sleep {
            timer: Rc::clone(self),
            at,
            queued: false,
        }
    }

    /// Delivers the wake-ups; runs for as long as the timer is used.
    pub(super) async fn drive(self: Rc<Self>) -> io::Result<()> {
        loop {
            // The descriptor is never read: arming it again resets it, and each expiry is a new
            // edge for epoll, so a read would only cost a system call.
            self.fd.readable().await?.clear_ready();
            self.armed_for.set(u64::MAX);
            self.wake_due();
            self.arm()?;
        }
    }

    fn wake_due(&self) {
        let now = now();
        let mut waiting = self.waiting.borrow_mut();
        while waiting.peek().is_some_and(|Reverse(first)| first.at <= now) {
            if let Some(Reverse(due)) = waiting.pop() {
                due.waker.wake();
            }
        }
    }

    fn arm(&self) -> io::Result<()> {
        let Some(first) = self.waiting.borrow().peek().map(|Reverse(first)| first.at) else {
            return Ok(());
        };
        if first >= self.armed_for.get() {
            return Ok(());
        }
        self.armed_for.set(first);
        // Zero would disarm the timer; no moment of a run is the zero of the monotonic clock.
        let moment = Expiration::OneShot(TimeSpec::from_duration(Duration::from_nanos(first)));
        self.fd
            .get_ref()
            .0
            .set(moment, TimerSetTimeFlags::TFD_TIMER_ABSTIME)
            .map_err(io::Error::from)
    }
}

struct OwnedTimer(TimerFd);

impl AsRawFd for OwnedTimer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

#[expect(
    deprecated,
    reason = "its successor is an unsafe function, for types whose descriptor may change or close \
              while it is watched; this one owns its descriptor and always names the same one"
)]
fn watch(timer: OwnedTimer) -> io::Result<AsyncFd<OwnedTimer>> {
    AsyncFd::with_interest(timer, tokio::io::Interest::READABLE)
}

struct Sleeper {
    at: u64,
    waker: Waker,
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

struct Sleep {
    timer: Rc<PreciseTimer>,
    at: u64,
    queued: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if now() >= self.at {
            return Poll::Ready(());
        }
        // Queued once: every user awaits a sleep in the task that first polled it, so the waker
        // does not change.
        if !self.queued {
            let sleeper = Sleeper {
                at: self.at,
                waker: context.waker().clone(),
            };
            self.timer.waiting.borrow_mut().push(Reverse(sleeper));
            self.queued = true;
            if self.timer.arm().is_err() {
                // Arming a valid timer with a valid time cannot fail; should it, being awake
                // early and asking again is correct, only costly.
                context.waker().wake_by_ref();
                self.queued = false;
            }
        }
        Poll::Pending
    }
}
