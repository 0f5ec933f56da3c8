//! The reference for HTTP alone: a bare hyper server that answers the same bytes to
//! everything, in a process of its own, on as many threads as the server has.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::process::Command;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::companion::Companion;

/// Starts this program again as a hello server whose bodies have so many bytes.
pub(crate) fn start(bytes: usize) -> anyhow::Result<Companion> {
    let program = std::env::current_exe().context("cannot find this program itself")?;
    let mut command = Command::new(program);
    command.args(["hello", "--bytes", &bytes.to_string()]);
    Companion::start(command)
}

/// Serves until standard input ends, so also when the bench is killed.
///
/// # Errors
/// When it cannot listen.
pub fn serve(bytes: usize) -> anyhow::Result<()> {
    // What the server does: one worker thread for each core.
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let body = Bytes::from(vec![b'x'; bytes]);
        tokio::spawn(async move {
            loop {
                // A connection that is not accepted fails in the generator, which reports it.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, body.clone()));
                }
            }
        });
        anyhow::Ok(())
    })?;
    // The main thread only waits, outside of the runtime.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn connection(stream: TcpStream, body: Bytes) {
    stream.set_nodelay(true).ok();
    let service = service_fn(move |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(body.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}
