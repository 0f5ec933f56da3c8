//! The exchange of one case: what is written, and what comes back until nothing more does.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::time::{sleep, timeout};

use super::answers::{Answer, answers};
use super::case::Case;
use crate::engine::Failure;

/// Pause between two packets, so that the server reads them one by one.
const PACKET_PAUSE: Duration = Duration::from_millis(1);
/// Longest wait for another answer after a whole one.
const QUIET: Duration = Duration::from_millis(20);
/// Longest wait for a first answer before the client says that nothing more will come: many a case never ends its request.
const FIRST: Duration = Duration::from_millis(300);
/// Longest time until the server has answered or closed after that: its own limits are 5 s for a body, and 3 s for an answer.
const END: Duration = Duration::from_secs(20);

/// Why a case has no answers.
#[derive(Debug)]
pub(super) enum Fault {
    /// No connection was made.
    Unconnected(Failure),
    /// What came back is no answer, or there was neither an answer nor an end.
    NoAnswer(String),
}

/// Sends a case over a connection of its own, and gives what was answered: nothing where it was closed instead.
pub(super) async fn exchange(address: SocketAddr, case: &Case) -> Result<Vec<Answer>, Fault> {
    let stream = match timeout(END, TcpStream::connect(address)).await {
        Ok(stream) => stream.map_err(Failure::of_connecting),
        Err(_) => Err(Failure::NotAccepted),
    };
    let stream = stream.map_err(Fault::Unconnected)?;
    answered(stream, case).await.map_err(Fault::NoAnswer)
}

async fn answered(mut stream: TcpStream, case: &Case) -> Result<Vec<Answer>, String> {
    // The packets of a case are what it is made of.
    let _ = stream.set_nodelay(true);
    let may_be_bare = case.packets.concat().windows(4).any(|four| four == b"HEAD");
    let (mut read, mut write) = stream.split();
    let mut got = Vec::new();
    let writing = async {
        for packet in &case.packets {
            // A server that has answered and closed already is found out by what it answered.
            if write.write_all(packet).await.is_err() {
                break;
            }
            sleep(PACKET_PAUSE).await;
        }
        write
    };
    let (mut write, heard) = tokio::join!(writing, listen(&mut read, &mut got, may_be_bare, FIRST));
    let ended = match heard? {
        Heard::Nothing => {
            let _ = write.shutdown().await;
            listen(&mut read, &mut got, may_be_bare, END).await?
        }
        heard => heard,
    };
    let (answers, whole) = answers(&got, may_be_bare)?;
    match ended {
        Heard::Nothing => Err(format!("neither an answer nor an end within {END:?}")),
        Heard::End if !whole => Err(format!("half an answer: {}", got.escape_ascii())),
        // A reset may overtake an answer.
        Heard::End | Heard::Reset | Heard::Answers => Ok(answers),
    }
}

enum Heard {
    /// Whole answers, and the connection stays open.
    Answers,
    End,
    Reset,
    Nothing,
}

/// Reads until the connection ends, nothing follows a whole answer, or `first` is over without one.
async fn listen(
    read: &mut ReadHalf<'_>,
    got: &mut Vec<u8>,
    may_be_bare: bool,
    first: Duration,
) -> Result<Heard, String> {
    loop {
        let (found, whole) = answers(got, may_be_bare)?;
        let is_answered = whole && !found.is_empty();
        let patience = if is_answered { QUIET } else { first };
        match timeout(patience, read.read_buf(got)).await {
            Ok(Ok(0)) => return Ok(Heard::End),
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Ok(Heard::Reset),
            Err(_) if is_answered => return Ok(Heard::Answers),
            Err(_) => return Ok(Heard::Nothing),
        }
    }
}
