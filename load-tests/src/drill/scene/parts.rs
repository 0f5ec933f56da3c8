//! The means of a scene: access to the parts of its stack, signals, waits, and the life of its server.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use warrior_stack::proc::is_alive;
use warrior_stack::proxy::Proxy;
use warrior_stack::{DATABASE, Endpoints};

use super::{PATIENCE, POLL, Scene};
use crate::database::DatabaseAccess;
use crate::drill::isolation;
use crate::server::Server;
use crate::stack::access;

impl Scene {
    pub(in crate::drill) fn endpoints(&self) -> &Endpoints {
        self.cluster.endpoints()
    }

    /// Access as PostgreSQL's superuser, past all that is drilled.
    pub(in crate::drill) fn database(&self) -> DatabaseAccess {
        self.cluster.superuser(DATABASE)
    }

    pub(in crate::drill) fn superuser(&self) -> anyhow::Result<Client> {
        self.database().connect()
    }

    /// Access as the role that serves, through PgBouncer.
    pub(in crate::drill) fn pooled(&self) -> anyhow::Result<Client> {
        access(&self.endpoints().runtime(DATABASE)).connect()
    }

    /// Has PgBouncer's console carry out a command.
    pub(in crate::drill) fn console(&self, command: &str) -> anyhow::Result<()> {
        let mut console = self.cluster.console().connect()?;
        let done = console.simple_query(command);
        done.with_context(|| format!("PgBouncer's console: {command}"))?;
        Ok(())
    }

    /// The fault proxy of the rig.
    pub(in crate::drill) fn proxy(&self) -> anyhow::Result<&Proxy> {
        self.proxy.as_ref().context("this drill has no fault proxy")
    }

    /// Sends a signal, and counts a kill.
    pub(in crate::drill) fn signal(&mut self, pid: u32, signal: Signal) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(pid)?), signal)
            .with_context(|| format!("cannot send {signal} to process {pid}"))?;
        self.evidence.figures.kills += u64::from(signal == Signal::SIGKILL);
        Ok(())
    }

    /// Waits until something is true.
    pub(in crate::drill) fn wait_until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&mut Scene) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !holds(self)? {
            if Instant::now() > until {
                bail!("after {} s it is not true that {what}", PATIENCE.as_secs());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Waits until these processes have ended.
    pub(in crate::drill) fn wait_for_end(&mut self, pids: &[u32]) -> anyhow::Result<()> {
        self.wait_until("the processes have ended", |_| {
            Ok(!pids.iter().any(|pid| is_alive(*pid)))
        })
    }

    /// Starts the server at its addresses.
    pub(in crate::drill) fn start_server(&mut self) -> anyhow::Result<()> {
        let command = self.server_command()?;
        let (port, admin) = (self.target.address.port(), self.admin.address.port());
        self.server = Some(Server::start_on(command, port, admin)?);
        Ok(())
    }

    /// Starts one more on ports of its own, on the same database.
    pub(in crate::drill) fn start_twin(&self) -> anyhow::Result<Server> {
        Server::start(self.server_command()?)
    }

    /// The server's process.
    pub(in crate::drill) fn server_pid(&self) -> anyhow::Result<u32> {
        Ok(self.server.as_ref().context("the server is down")?.pid())
    }

    /// Takes the server, to end it.
    pub(in crate::drill) fn take_server(&mut self) -> anyhow::Result<Server> {
        self.server.take().context("the server is down")
    }

    fn server_command(&self) -> anyhow::Result<Command> {
        let mut program = self.cluster.server_command(&self.programs.server)?;
        let (host, port) = match (&self.proxy, self.rig.named) {
            (_, true) => (isolation::POOLER_NAME, isolation::POOLER_PORT),
            (Some(proxy), false) => ("127.0.0.1", proxy.port),
            (None, false) => ("127.0.0.1", self.cluster.pooler_port()),
        };
        program
            .env("POSTGRES_HOST", host)
            .env("POSTGRES_PORT", port.to_string())
            .env("POSTGRES_DIRECT_HOST", "127.0.0.1")
            .envs(self.rig.variables.iter().copied());
        let enter = (self.group.as_ref())
            .map(|group| format!("echo $$ >'{}' || exit", group.entry().display()));
        let before = self.rig.before.map(str::to_owned);
        let lines: Vec<String> = enter.into_iter().chain(before).collect();
        Ok(match lines.is_empty() {
            true => program,
            false => preceded(
                &lines.join(
                    "
",
                ),
                &program,
            ),
        })
    }
}

/// The same command, executed by a shell after a line of its own.
fn preceded(line: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{line}\nexec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    shell
}
