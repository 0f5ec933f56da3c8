//! `calibrate`: whether the generator can be trusted on this machine.

use std::time::Duration;

use clap::Args;
use warrior_load::calibrate::{Behaviour, DelayServer, calibrate};
use warrior_load::exit::Exit;
use warrior_load::output::say;

#[derive(Args)]
pub(crate) struct CalibrateArgs {
    /// Only serve, each answer after this delay, to hold other load generators against this one
    #[arg(long, value_name = "DELAY", value_parser = humantime::parse_duration)]
    serve: Option<Duration>,
}

impl CalibrateArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if let Some(delay) = self.serve {
            let server = DelayServer::start(Behaviour::fixed(delay))?;
            say(format_args!(
                "{} answers after {delay:?}; Ctrl-C stops",
                server.url()
            ));
            loop {
                std::thread::park();
            }
        }
        Ok(if calibrate()? {
            Exit::Passed
        } else {
            Exit::Invalid
        })
    }
}
