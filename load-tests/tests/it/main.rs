//! warrior-load as its users run it, in one binary; what several modules share is contract, scratch and
//! the delay server.

mod adversity;
mod comparisons;
mod contract;
mod engine;
mod ledgers;
mod promises;
mod schema;
mod scratch;
mod thresholds;
mod usage;

use warrior_load::calibrate::{Behaviour, DelayServer};

fn delay_server(behaviour: Behaviour) -> DelayServer {
    DelayServer::start(behaviour).expect("a free port")
}
