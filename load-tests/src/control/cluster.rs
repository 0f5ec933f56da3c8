//! A stack of the control's own, whose PostgreSQL is killed without a chance to write.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_stack::proc::{children, is_alive};
use warrior_stack::{ChildStack, DATABASE, Database, Endpoints, SecretSource};

use super::complete;
use crate::database::DatabaseAccess;
use crate::stack::{Programs, access};

/// Longest time until killed processes are gone.
const GONE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often they are looked at.
const GONE_POLL: Duration = Duration::from_millis(5);

/// An ephemeral stack that is removed, processes and files, when dropped.
pub struct Cluster {
    stack: ChildStack,
}

impl Cluster {
    /// Starts it by the server's `stack`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn create(programs: &Programs) -> anyhow::Result<Cluster> {
        let mut command = programs.command();
        command.args(["stack", "--ephemeral"]).current_dir("/");
        let stack = ChildStack::start(&mut command)
            .with_context(|| format!("cannot run {} stack", programs.server.display()))?;
        Ok(Cluster { stack })
    }

    /// Chooses whether a commit waits for the disk, and makes the schema.
    pub(crate) fn prepare(
        &mut self,
        server: &Path,
        synchronous_commit: bool,
    ) -> anyhow::Result<()> {
        let commit = if synchronous_commit {
            include_str!("commit_on.sql")
        } else {
            include_str!("commit_off.sql")
        };
        self.superuser("postgres")
            .connect()?
            .batch_execute(commit)?;
        self.stack.command("stop postgres")?;
        self.start()?;
        self.apply_schema(server)
    }

    /// Makes the schema.
    pub(crate) fn apply_schema(&self, server: &Path) -> anyhow::Result<()> {
        complete(self.owner_command(server)?.args(["schema", "apply"]))
    }

    /// A command of the owner, of which nobody waits for an answer: its logins may take their time.
    pub(crate) fn owner_command(&self, server: &Path) -> anyhow::Result<Command> {
        let mut command = self.server_command(server)?;
        command.env("DB_CONNECT_TIMEOUT_MS", "10000");
        Ok(command)
    }

    /// The port of its PgBouncer.
    pub(crate) fn pooler_port(&self) -> u16 {
        self.stack.endpoints.pooler.port
    }

    /// Starts PostgreSQL again, which then recovers.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        self.command("start postgres")
    }

    /// Has the stack carry out `stop` or `start` of `postgres` or `pooler`, and waits for it.
    pub(crate) fn command(&mut self, command: &str) -> anyhow::Result<()> {
        Ok(self.stack.command(command)?)
    }

    /// The server, told where this cluster is.
    pub(crate) fn server_command(&self, server: &Path) -> anyhow::Result<Command> {
        let endpoints = &self.stack.endpoints;
        let (runtime, owner) = (
            endpoints.runtime_direct(DATABASE),
            endpoints.owner(DATABASE),
        );
        let mut command = Command::new(server);
        for secret in [
            "POSTGRES_PASSWORD",
            "POSTGRES_OWNER_PASSWORD",
            "IDEMPOTENCY_SECRET",
        ] {
            command.env_remove(secret);
        }
        command
            .envs([
                ("POSTGRES_HOST", &runtime.host),
                ("POSTGRES_DIRECT_HOST", &owner.host),
                ("POSTGRES_DB", &runtime.dbname),
                ("POSTGRES_USER", &runtime.user),
                ("POSTGRES_OWNER", &owner.user),
            ])
            .env("POSTGRES_PORT", runtime.port.to_string())
            .env("POSTGRES_DIRECT_PORT", owner.port.to_string())
            .env("POSTGRES_PASSWORD_FILE", password_file(&runtime)?)
            .env("POSTGRES_OWNER_PASSWORD_FILE", password_file(&owner)?)
            // Where there is no .env that would have a say.
            .current_dir("/");
        command.env("IDEMPOTENCY_SECRET_FILE", self.idempotency_secret_file()?);
        Ok(command)
    }

    /// The file of the secret that ids are derived with.
    pub(crate) fn idempotency_secret_file(&self) -> anyhow::Result<PathBuf> {
        match self.stack.endpoints.idempotency_secret() {
            SecretSource::File(path) => Ok(path),
            SecretSource::Inline(_) => bail!("the stack keeps its idempotency secret in no file"),
        }
    }

    /// Access to the API's database, as the role that serves requests.
    pub fn runtime(&self) -> DatabaseAccess {
        access(&self.stack.endpoints.runtime_direct(DATABASE))
    }

    /// Access as the role that reads statistics, whose statements may take their time.
    pub(crate) fn monitor(&self) -> DatabaseAccess {
        access(&self.stack.endpoints.monitor(DATABASE))
    }

    /// PgBouncer's console, as its administrator.
    pub(crate) fn console(&self) -> DatabaseAccess {
        access(&self.stack.endpoints.pooler_admin())
    }

    /// Where the cluster and its pooler are.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.stack.endpoints
    }

    /// Access as PostgreSQL's superuser.
    pub fn superuser(&self, database: &str) -> DatabaseAccess {
        access(&self.stack.endpoints.superuser(database))
    }

    /// Kills the postmaster and everything it started, at once, without a chance to write.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let postmaster = self.stack.endpoints.postgres.pid;
        let signal =
            |pid: u32, signal| anyhow::Ok(kill(Pid::from_raw(i32::try_from(pid)?), signal)?);
        // Stopped first, so that the postmaster cannot react to the deaths of the others.
        signal(postmaster, Signal::SIGSTOP)?;
        let mut killed = children(postmaster);
        killed.push(postmaster);
        for pid in &killed {
            // One that has ended by itself is as dead.
            signal(*pid, Signal::SIGKILL).ok();
        }
        let deadline = Instant::now() + GONE_TIMEOUT;
        while killed.iter().any(|pid| is_alive(*pid)) {
            if Instant::now() > deadline {
                bail!(
                    "a process of the killed cluster is still there after {} s",
                    GONE_TIMEOUT.as_secs()
                );
            }
            std::thread::sleep(GONE_POLL);
        }
        Ok(())
    }
}

fn password_file(login: &Database) -> anyhow::Result<&Path> {
    match &login.password {
        Some(SecretSource::File(path)) => Ok(path),
        _ => bail!("the stack keeps the password of {} in no file", login.user),
    }
}
