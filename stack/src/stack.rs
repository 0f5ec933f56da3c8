//! The life of a stack: start, endpoints, partial restarts, and ordered shutdown.

use crate::cluster::Cluster;
use crate::connections::Connections;
use crate::endpoints::Endpoints;
use crate::error::StackError;
use crate::folder::Folder;
use crate::machine_conf::machine_conf;
use crate::pooler::Pooler;
use crate::ports::Ports;
use crate::programs::Programs;
use crate::settings::Embedded;
use crate::stop::Stop;
use crate::{leftovers, roles};

/// Most attempts with other ports; a failure after that has another reason.
const PORT_ATTEMPTS: u32 = 5;

/// A running PostgreSQL and PgBouncer. Dropping it stops both.
///
/// The fields are dropped in this order: the pooler, PostgreSQL, and then the folder, which removes
/// itself when it is a throw-away one.
pub struct Stack {
    pub(crate) pooler: Pooler,
    pub(crate) cluster: Cluster,
    pub(crate) folder: Folder,
}

/// Starts PostgreSQL and PgBouncer; `progress` hears one sentence before each step that takes time, and
/// every wait ends with `stop`.
///
/// # Errors
/// A sentence with the obstacle and the next command to type; [`StackError::Interrupted`] after a stop.
pub fn start(
    embedded: &Embedded,
    connections: Connections,
    progress: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<Stack, StackError> {
    let programs = Programs::find(embedded)?;
    if embedded.data.is_none() {
        leftovers::remove_abandoned();
    }
    let folder = Folder::open(embedded.data.as_deref())?;
    leftovers::stop(&folder, progress)?;
    let mut attempt = 1;
    loop {
        let ports = Ports::claim(embedded)?;
        match start_in(
            embedded,
            &folder,
            &programs,
            &ports,
            connections,
            progress,
            stop,
        ) {
            Ok((cluster, pooler)) => {
                return Ok(Stack {
                    pooler,
                    cluster,
                    folder,
                });
            }
            Err(StackError::Interrupted) => return Err(StackError::Interrupted),
            // Another process was quicker to take a port that was free when it was chosen; it may be gone by now.
            Err(e) if (e.met_taken_port() || ports.is_lost()) && attempt < PORT_ATTEMPTS => {
                attempt += 1;
            }
            Err(e) => return Err(e),
        }
    }
}

fn start_in(
    embedded: &Embedded,
    folder: &Folder,
    programs: &Programs,
    ports: &Ports,
    connections: Connections,
    progress: &mut dyn FnMut(&str),
    stop: &Stop,
) -> Result<(Cluster, Pooler), StackError> {
    let conf = machine_conf(ports.postgres, connections, embedded.full_size);
    let port = ports.postgres;
    let cluster = Cluster::start(folder, programs, port, &conf, progress, stop)?;
    let user_list = roles::prepare(folder, port)?;
    let pooler = Pooler::start(
        folder,
        programs,
        ports,
        connections,
        &user_list,
        progress,
        stop,
    )?;
    Ok((cluster, pooler))
}

impl Stack {
    /// The endpoints as plain data, which can be handed to another process.
    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            data: self.folder.path().to_owned(),
            postgres: self.cluster.instance(),
            pooler: self.pooler.instance(),
        }
    }

    /// Starts PostgreSQL again on its port, after it died or was stopped.
    pub(crate) fn restart_postgres(&mut self, stop: &Stop) -> Result<(), StackError> {
        self.cluster.restart(&self.folder, stop)
    }

    /// Starts PgBouncer again on its port, after it died or was stopped.
    pub(crate) fn restart_pooler(&mut self, stop: &Stop) -> Result<(), StackError> {
        self.pooler.restart(&self.folder, stop)
    }

    /// Stops PostgreSQL alone, as a fault: its clients are cut off.
    pub(crate) fn stop_postgres(&mut self) -> Result<(), StackError> {
        self.cluster.stop()
    }

    /// Stops PgBouncer alone, as a fault: its clients are cut off.
    pub(crate) fn stop_pooler(&mut self) -> Result<(), StackError> {
        self.pooler.stop()
    }

    /// Stops PgBouncer, then PostgreSQL, and waits for both; a throw-away folder is removed.
    ///
    /// # Errors
    /// When one of them did not stop when asked and had to be killed; nothing is lost by that, the
    /// next start recovers.
    pub fn stop(mut self) -> Result<(), StackError> {
        let pooler = self.pooler.stop();
        let cluster = self.cluster.stop();
        drop(self);
        pooler.and(cluster)
    }
}
