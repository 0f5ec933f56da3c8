//! Minimum response data rate: a client that takes its answer too slowly is cut off, since the answer is held in
//! memory until its last byte is taken. A bound on pauses alone would let a client keep it for hours, byte by byte.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::write_times::Writing;

/// The slowest rate at which an answer may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataRate {
    /// Longest time without a byte, and the time that any answer may take at any rate.
    pub(super) pause_max: Duration,
    /// Bytes a second, on average from the first that had to wait; at least 1.
    pub(super) bytes_per_second_min: u32,
}

/// A stream whose writer keeps to a [`DataRate`].
#[derive(Debug)]
pub(super) struct RateChecked<S> {
    stream: S,
    rate: DataRate,
    /// The answer that could not be written at once, until it is flushed.
    held: Option<Held>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Told when all is written.
    writing: Option<Arc<Writing>>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    since: Instant,
    progress: Instant,
    written: usize,
}

impl<S: AsyncWrite + Unpin> RateChecked<S> {
    pub(super) fn new(stream: S, rate: DataRate) -> Self {
        Self {
            stream,
            rate,
            held: None,
            timer: None,
            writing: None,
        }
    }

    /// Tells `writing` when all that was to be written is in the socket.
    pub(super) fn telling(self, writing: Arc<Writing>) -> Self {
        Self {
            writing: Some(writing),
            ..self
        }
    }

    /// Whether a part of an answer waits to be taken.
    pub(super) fn holds_answer(&self) -> bool {
        self.held.is_some()
    }

    /// The time by which the next byte must have been taken.
    fn due(&self, held: &Held) -> Instant {
        let written = u32::try_from(held.written).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * written / self.rate.bytes_per_second_min;
        (held.progress + self.rate.pause_max).min(held.since + self.rate.pause_max + earned)
    }

    fn check(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match (&result, self.held) {
            (Poll::Ready(Ok(written)), Some(mut held)) => {
                held.progress = Instant::now();
                held.written += written;
                self.held = Some(held);
                if held.progress > self.due(&held) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            (Poll::Ready(_), _) => {}
            (Poll::Pending, held) => {
                let held = held.unwrap_or_else(Held::begin);
                self.held = Some(held);
                let due = self.due(&held);
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
                if timer.deadline() != due {
                    timer.as_mut().reset(due);
                }
                ready!(timer.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        result
    }
}

impl Held {
    fn begin() -> Self {
        let now = Instant::now();
        Self {
            since: now,
            progress: now,
            written: 0,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RateChecked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.check(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once everything that it holds is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        self.held = None;
        if let Some(writing) = &self.writing {
            writing.end();
        }
        Poll::Ready(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RateChecked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, bytes)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use super::*;

    /// Writes an answer of 100 KB to a client that takes `bytes` every 20 ms.
    async fn answer(rate: DataRate, bytes: usize) -> io::Result<()> {
        let (ours, mut theirs) = duplex(1024);
        let client = tokio::spawn(async move {
            let mut taken = vec![0; bytes];
            while theirs.read_exact(&mut taken).await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        });
        let mut checked = RateChecked::new(ours, rate);
        let written = async {
            checked.write_all(&[b'x'; 100_000]).await?;
            checked.flush().await
        };
        let outcome = written.await;
        client.abort();
        outcome
    }

    fn rate(pause_max_ms: u64, bytes_per_second_min: u32) -> DataRate {
        DataRate {
            pause_max: Duration::from_millis(pause_max_ms),
            bytes_per_second_min,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_byte_by_byte_is_cut_off_and_a_slow_one_is_not() {
        let taken = answer(rate(400, 10_000), 1).await;
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // 1000 bytes every 20 ms are 50,000 a second.
        answer(rate(400, 40_000), 1000).await.unwrap();
        let taken = answer(rate(400, 100_000), 1000).await;
        assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_an_answer_whatever_its_rate_was() {
        let (ours, theirs) = duplex(1024);
        let mut checked = RateChecked::new(ours, rate(100, 1));
        let began = Instant::now();
        let written = checked.write_all(&[b'x'; 2000]).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(100));
        drop(theirs);
    }
}
