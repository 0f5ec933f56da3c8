//! The calibration tests' server on its own, to hold other load generators against this one:
//! `cargo run --release -p warrior-load --example delay-server -- 5ms`, then
//! `wrk -t1 -c8 -d5s URL` and `warrior-load run --url URL --connections 8 --for 5s`.

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Behaviour, Server};

fn main() -> anyhow::Result<()> {
    let delay = std::env::args().nth(1).unwrap_or_else(|| "5ms".to_owned());
    let server = Server::start(Behaviour::fixed(humantime::parse_duration(&delay)?));
    println!("{} answers after {delay}; Ctrl-C stops", server.url());
    loop {
        std::thread::park();
    }
}
