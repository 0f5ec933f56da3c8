//! The embedded PgBouncer, a connection pooler: the shipped `pgbouncer.ini`, and a small file that includes it.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use crate::connections::Connections;
use crate::endpoints::Instance;
use crate::error::StackError;
use crate::folder::{self, Folder, failed};
use crate::ladders;
use crate::layout::{self, DATABASE, LOOPBACK};
use crate::ports::Ports;
use crate::process::{self, Process, Wait};
use crate::programs::{self, POOLER_OLDEST, Programs};
use crate::stop::Stop;
use crate::upgrade::Watch;
use crate::version::Version;
use crate::{roles, shipped, threads};

/// Settings that older versions refuse to start with, and the version that brought them.
const SETTINGS_SINCE: [(Version, &str); 1] = [(
    Version {
        major: 1,
        minor: 21,
    },
    // Names of statements, which the server gives where they are kept. The default since 1.24.
    "max_prepared_statements = 200",
)];

/// Longest time for each step of a start. Both take milliseconds; the rest is for machines in trouble.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// A running PgBouncer.
pub(crate) struct Pooler {
    process: Process,
    watch: Watch,
    version: Version,
    ports: Ports,
    connections: Connections,
    user_list: String,
}

impl Pooler {
    /// Starts PgBouncer before the PostgreSQL of `folder`, which runs already.
    pub(crate) fn start(
        folder: &Folder,
        programs: &Programs,
        ports: &Ports,
        connections: Connections,
        user_list: &str,
        progress: &mut dyn FnMut(&str),
        stop: &Stop,
    ) -> Result<Self, StackError> {
        let version = programs.pooler_version;
        progress(&format!(
            "Starting PgBouncer {version} on {LOOPBACK}:{}",
            ports.pooler
        ));
        process::rotate(&layout::pooler_log(folder.path()));
        configure(folder, ports, connections, user_list, version)?;
        Ok(Self {
            watch: watch(&programs.pooler),
            process: launch(folder, &programs.pooler, ports.pooler, stop)?,
            version,
            ports: *ports,
            connections,
            user_list: user_list.to_owned(),
        })
    }

    /// Restarts PgBouncer, with the files that its version wants.
    pub(crate) fn restart(&mut self, folder: &Folder, stop: &Stop) -> Result<(), StackError> {
        match self.stop() {
            // A killed process has ended, too: a hang may be the reason of the restart.
            Ok(()) | Err(StackError::Killed { .. }) => {}
            Err(e) => return Err(e),
        }
        let program = self.watch.program().to_owned();
        if let Ok(version) = programs::version_of(&program, "PGBOUNCER") {
            self.version = version;
        }
        configure(
            folder,
            &self.ports,
            self.connections,
            &self.user_list,
            self.version,
        )?;
        self.watch = watch(&program);
        self.process = launch(folder, &program, self.ports.pooler, stop)?;
        Ok(())
    }

    /// A sentence when a package upgrade replaced the running program.
    pub(crate) fn replaced(&mut self) -> Option<String> {
        let replacement = self
            .watch
            .replaced("PgBouncer", "PGBOUNCER", |new| new >= POOLER_OLDEST)?;
        Some(format!(
            "PgBouncer {} was replaced: {replacement}",
            self.version
        ))
    }

    pub(crate) fn stop(&mut self) -> Result<(), StackError> {
        self.process.stop(ladders::pooler(self.version))
    }

    pub(crate) fn exit_report(&mut self) -> Option<String> {
        self.process.exit_report()
    }

    pub(crate) fn instance(&self) -> Instance {
        Instance {
            port: self.ports.pooler,
            pid: self.process.pid(),
            version: self.version,
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // No caller is left to report a kill to, and PgBouncer holds nothing that could be lost.
        let _ = self.stop();
    }
}

/// The including file. Its lines after `%include` belong to the section that the included file left open,
/// and override it. A second `[pgbouncer]` line would set everything back to its default.
fn stack_ini(ports: &Ports, connections: Connections, version: Version) -> String {
    let (pool_size, clients) = (connections.pooler_pool(), connections.pooler_clients());
    let admin = layout::POOLER_ADMIN.name;
    let since: String = SETTINGS_SINCE
        .iter()
        .filter(|(since, _)| version >= *since)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    format!(
        ";; Made by warrior-api at each start; changes are lost.\n\
         [databases]\n\
         * = host={LOOPBACK} port={}\n\
         %include pgbouncer.ini\n\
         listen_addr = {LOOPBACK}\n\
         listen_port = {}\n\
         pidfile = pgbouncer.pid\n\
         auth_file = userlist.txt\n\
         admin_users = {admin}\n\
         default_pool_size = {pool_size}\n\
         max_client_conn = {clients}\n\
         {since}",
        ports.postgres, ports.pooler
    )
}

fn configure(
    folder: &Folder,
    ports: &Ports,
    connections: Connections,
    user_list: &str,
    version: Version,
) -> Result<(), StackError> {
    let home = layout::pooler(folder.path());
    folder::write(&home.join("pgbouncer.ini"), shipped::PGBOUNCER_INI)?;
    folder::write(&layout::user_list(folder.path()), user_list)?;
    folder::write(
        &layout::pooler_ini(folder.path()),
        &stack_ini(ports, connections, version),
    )
}

fn watch(program: &Path) -> Watch {
    Watch::new(program.to_owned(), Vec::new())
}

fn launch(folder: &Folder, program: &Path, port: u16, stop: &Stop) -> Result<Process, StackError> {
    // The pid file of a killed PgBouncer may name a process that lives today.
    let _ = fs::remove_file(layout::pooler_pid(folder.path()));
    let mut command = Command::new(program);
    command
        .env_clear()
        .arg(layout::pooler_ini(folder.path()))
        .current_dir(layout::pooler(folder.path()));
    let mut process = Process::start(
        "PgBouncer",
        &mut command,
        &layout::pooler_log(folder.path()),
    )
    .map_err(failed("run", program))?;
    let waited = process::wait(START_TIMEOUT, stop, || {
        process.ended().is_some()
            || (is_written_by(folder.path(), process.pid())
                && TcpStream::connect((LOOPBACK, port)).is_ok())
    });
    if let Some(end) = process.ended().map(str::to_owned) {
        return Err(process.did_not_start(format!("it ended ({end})")));
    }
    match waited {
        Wait::Held => probe(folder, port, stop).map(|()| process),
        Wait::Stopped => Err(StackError::Interrupted),
        Wait::TimedOut => {
            let reason = format!("it was not ready after {} s", START_TIMEOUT.as_secs());
            Err(process.did_not_start(reason))
        }
    }
}

fn is_written_by(data: &Path, pid: u32) -> bool {
    fs::read_to_string(layout::pooler_pid(data)).is_ok_and(|text| text.trim() == pid.to_string())
}

/// A readiness probe: one query as the serving role, on a thread of its own because a login has no deadline.
fn probe(folder: &Folder, port: u16, stop: &Stop) -> Result<(), StackError> {
    let no_way = |reason: String| StackError::NoWayThrough {
        reason,
        log: layout::pooler_log(folder.path()),
    };
    let config = roles::runtime_login(folder, port, DATABASE)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    threads::detach("probe", move || {
        let answer = config
            .connect(postgres::NoTls)
            .and_then(|mut client| client.simple_query("select 1").map(drop));
        // The receiver is gone once the probe has timed out.
        let _ = sender.send(answer);
    })
    .map_err(StackError::NoThread)?;
    let mut answer = None;
    let waited = process::wait(START_TIMEOUT, stop, || {
        answer = receiver.try_recv().ok();
        answer.is_some()
    });
    match (waited, answer) {
        (_, Some(Ok(()))) => Ok(()),
        (_, Some(Err(e))) => Err(no_way(roles::reason_of(&e))),
        (Wait::Stopped, None) => Err(StackError::Interrupted),
        (_, None) => Err(no_way(format!(
            "no answer in {} s",
            START_TIMEOUT.as_secs()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_wait_for_the_version_that_knows_them() {
        let ports = Ports {
            postgres: 1,
            pooler: 2,
        };
        let connections = Connections {
            pool: 8,
            pooler: None,
        };
        let ini = |minor| stack_ini(&ports, connections, Version { major: 1, minor });
        assert!(!ini(18).contains("max_prepared_statements"));
        assert!(ini(24).contains("max_prepared_statements"));
    }
}
