//! The reference for HTTP alone: a bare hyper server that answers the same bytes to
//! everything, in a process of its own, on as many threads as the server has.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use warrior_load::target::Target;

/// A hello server that runs while this value lives.
#[derive(Debug)]
pub struct Hello {
    child: Child,
    /// Where it listens.
    pub target: Target,
}

impl Hello {
    /// Starts this program again as a hello server whose bodies have so many bytes.
    pub fn start(bytes: usize) -> anyhow::Result<Hello> {
        let program = std::env::current_exe().context("cannot find this program itself")?;
        let mut child = Command::new(program)
            .args(["hello", "--bytes", &bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the hello server")?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let target = Target::parse(&format!("http://{}", line.trim()))
            .context("the hello server did not say where it listens")?;
        Ok(Hello { child, target })
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
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
