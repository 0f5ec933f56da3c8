//! The server's API as others would write it on async tasks, for the bench to measure in turn with the server: with a
//! pool and a statement for each request (`pooled`), and with natural batching (`grouping`).

mod api;
mod cli;
mod failure;
mod grouping;
mod lane;
mod pooled;
mod store;
mod warrior;

use std::io::{Read, Write};

use anyhow::Context;
use axum::serve::ListenerExt;
use clap::Parser;
use mimalloc::MiMalloc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use cli::Cli;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Says where it listens, and serves until standard input ends, so also when the bench is killed.
fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // One worker thread for each core, as the server has.
    let runtime = Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let store = cli.store().await?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("cannot listen on 127.0.0.1")?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        // Without it, answers on kept connections would wait for acknowledgements. A failure shows as latency.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, api::router(store)).await });
        anyhow::Ok(())
    })?;
    // The main thread only waits, outside of the runtime.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
