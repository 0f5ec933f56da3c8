//! A throw-away stack: its PostgreSQL and PgBouncer stay, and each configuration gets a server of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::handicap::Handicap;
use super::{Rig, wait_until_ready};
use crate::control::Cluster;
use crate::database::DatabaseAccess;
use crate::server::Server;
use crate::stack::Programs;
use crate::target::Target;
use crate::tune::sizes::{Size, Sizes};

/// Logins to PgBouncer's console and to PostgreSQL for one change of size, at the most.
const LOGINS_MAX: u32 = 5;
/// The pause between two of them.
const LOGIN_PAUSE: Duration = Duration::from_secs(1);

/// The stack, and the server with the sizes of the moment.
pub(crate) struct Throwaway {
    // Dropped first: it drains while its database is there.
    server: Option<Server>,
    program: PathBuf,
    cluster: Cluster,
    _handicap: Handicap,
}

impl Throwaway {
    /// Starts PostgreSQL and PgBouncer by this program, and makes the schema.
    pub(crate) fn start(program: &Path, handicap: Handicap) -> anyhow::Result<Throwaway> {
        let cluster = Cluster::create(&Programs::of_machine(program))?;
        cluster.apply_schema(program)?;
        let mut handicap = handicap;
        handicap.impose(&cluster)?;
        Ok(Throwaway {
            server: None,
            program: std::path::absolute(program)?,
            cluster,
            _handicap: handicap,
        })
    }

    /// Sizes PgBouncer, again after a failure: on a busy machine a login takes longer than a pooler waits for one.
    fn size_pooler(&self, size: u32) -> anyhow::Result<()> {
        let mut last = self.size_pooler_once(size);
        for _ in 1..LOGINS_MAX {
            if last.is_ok() {
                break;
            }
            std::thread::sleep(LOGIN_PAUSE);
            last = self.size_pooler_once(size);
        }
        last
    }

    /// PgBouncer closes what is above its new size, and opens the rest anew.
    fn size_pooler_once(&self, size: u32) -> anyhow::Result<()> {
        let mut database = self.cluster.runtime().connect()?;
        let size = i32::try_from(size)?;
        let statement: String = database
            .query_one(include_str!("../set_pool.sql"), &[&size])?
            .try_get(0)?;
        let mut console = self.cluster.console().connect()?;
        console.simple_query(&statement)?;
        console.simple_query("reconnect")?;
        Ok(())
    }
}

impl Rig for Throwaway {
    fn apply(&mut self, sizes: &Sizes) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        let port = if sizes.pooler == 0 {
            self.cluster.endpoints().postgres.port
        } else {
            self.size_pooler(sizes.pooler)
                .context("cannot size PgBouncer")?;
            self.cluster.pooler_port()
        };
        let mut command = self.cluster.server_command(&self.program)?;
        for variable in ["WORKERS", "GUNICORN_WORKERS", "DB_POOL_MIN", "DB_POOL_MAX"] {
            command.env_remove(variable);
        }
        let own = Size::ALL.into_iter().filter(|size| *size != Size::Pooler);
        command
            .envs(own.map(|size| (size.variable(), sizes.get(size).to_string())))
            .env("POSTGRES_PORT", port.to_string());
        let server = Server::start(command)?;
        wait_until_ready(&server.target, Some(&server.admin))?;
        self.server = Some(server);
        Ok(())
    }

    fn target(&self) -> anyhow::Result<Target> {
        let server = self.server.as_ref().context("no server runs")?;
        Ok(server.target.clone())
    }

    fn admin(&self) -> Option<Target> {
        Some(self.server.as_ref()?.admin.clone())
    }

    fn database(&self) -> Option<DatabaseAccess> {
        Some(self.cluster.monitor())
    }

    fn restore(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}
