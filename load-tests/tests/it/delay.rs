//! The server whose every delay is known.

pub(crate) use warrior_load::calibrate::{Behaviour, DelayServer};

pub(crate) fn delay_server(behaviour: Behaviour) -> DelayServer {
    DelayServer::start(behaviour).expect("a free port")
}
