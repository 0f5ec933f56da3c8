//! `warrior-api serve` as a child process, on free ports.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use warrior_stack::free_ports;

use crate::target::Target;

/// Longest time until the server listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time of a drain, after which the server is killed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How often either is looked at.
const POLL: Duration = Duration::from_millis(50);

/// The server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) target: Target,
    /// The admin listener.
    pub(crate) admin: Target,
}

impl Server {
    /// Starts the program of `command`, which says where its database is, and waits until it listens.
    pub(crate) fn start(command: Command) -> anyhow::Result<Server> {
        let (port, admin) = free_ports()?;
        Server::start_on(command, port, admin)
    }

    /// The same on given ports, public and admin: those of a server that has ended.
    pub(crate) fn start_on(command: Command, port: u16, admin: u16) -> anyhow::Result<Server> {
        Server::start_at(command, Ipv4Addr::LOCALHOST, port, admin)
    }

    /// The same at an address of its own.
    pub(crate) fn start_at(
        mut command: Command,
        host: Ipv4Addr,
        port: u16,
        admin: u16,
    ) -> anyhow::Result<Server> {
        let mut child = command
            .arg("serve")
            .env("HOST", host.to_string())
            .env("ADMIN_HOST", host.to_string())
            .env("PORT", port.to_string())
            .env("ADMIN_PORT", admin.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let said = child
            .stderr
            .take()
            .context("the server has no standard error")?;
        let last = std::thread::spawn(move || {
            BufReader::new(said)
                .lines()
                .map_while(Result::ok)
                .last()
                .unwrap_or_default()
        });
        let target = Target::parse(&format!("http://{host}:{port}"))?;
        let admin = Target::parse(&format!("http://{host}:{admin}"))?;
        let mut server = Server {
            child,
            target,
            admin,
        };
        let deadline = Instant::now() + LISTEN_TIMEOUT;
        while server.target.reach().is_err() {
            if !matches!(server.child.try_wait(), Ok(None)) {
                bail!("the server ended: {}", last.join().unwrap_or_default());
            }
            if Instant::now() > deadline {
                bail!(
                    "the server does not listen after {} s",
                    LISTEN_TIMEOUT.as_secs()
                );
            }
            std::thread::sleep(POLL);
        }
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without a warning, and waits until it is gone.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has finished open requests and ended.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.signal(Signal::SIGTERM)?;
        let status = self.wait()?;
        anyhow::ensure!(
            status.success(),
            "the server did not end in order: {status}"
        );
        Ok(())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(
            Pid::from_raw(i32::try_from(self.child.id())?),
            signal,
        )?)
    }

    /// Waits until it has ended, as long as a drain may take.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(POLL);
        }
        bail!(
            "the server has not stopped after {} s",
            DRAIN_TIMEOUT.as_secs()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
