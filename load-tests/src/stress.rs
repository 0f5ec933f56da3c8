//! `make stress`: an ephemeral stack, a profile, verification, five lines.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::run::DatabaseAccess;
use crate::target::Target;

/// How long a stack may take to be ready: it makes a cluster first.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// How long it may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

/// A stack that runs while this value lives.
#[derive(Debug)]
pub struct Stack {
    child: Child,
    /// The API.
    pub api: Target,
    /// The admin listener, when it was told.
    pub admin: Option<Target>,
    /// Direct access to its database, when it was told.
    pub database: Option<DatabaseAccess>,
    /// The data folder, when it was told.
    pub data: Option<PathBuf>,
}

impl Stack {
    /// Starts `server up --ephemeral` and waits for the one line of JSON that says where it
    /// listens.
    pub fn start(server: &Path) -> anyhow::Result<Stack> {
        let mut child = Command::new(server)
            .args(["up", "--ephemeral"])
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}; build it with `cargo build --release`",
                    server.display()
                )
            })?;
        match ready_line(&mut child).and_then(|line| Told::read(&line)) {
            Ok(told) => Ok(Stack {
                child,
                api: told.api,
                admin: told.admin,
                database: told.database,
                data: told.data,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

struct Told {
    api: Target,
    admin: Option<Target>,
    database: Option<DatabaseAccess>,
    data: Option<PathBuf>,
}

impl Told {
    fn read(line: &str) -> anyhow::Result<Told> {
        let told: Value = serde_json::from_str(line)?;
        let address = |name: &str| {
            let text = told[name].as_str()?;
            let bare = text.trim_start_matches("http://").trim_end_matches('/');
            Some(format!("http://{bare}"))
        };
        let api = address("http").with_context(|| {
            format!("the server's line of JSON has no \"http\" address: {line}")
        })?;
        Ok(Told {
            api: Target::parse(&api)?,
            admin: address("admin")
                .map(|url| Target::parse(&url))
                .transpose()?,
            database: database(&told["postgres"]),
            data: told["data"].as_str().map(PathBuf::from),
        })
    }
}

fn database(told: &Value) -> Option<DatabaseAccess> {
    let text = |name: &str| {
        let value = &told[name];
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_u64().map(|port| port.to_string()))
    };
    let connection = format!(
        "host={} port={} dbname={} user={}",
        text("host").unwrap_or_else(|| "127.0.0.1".to_owned()),
        text("port")?,
        text("dbname").unwrap_or_else(|| "warrior_api".to_owned()),
        text("user")?
    );
    Some(DatabaseAccess {
        connection,
        password_file: text("password_file").map(PathBuf::from),
    })
}

/// The first line of the child's standard output that is a JSON object.
fn ready_line(child: &mut Child) -> anyhow::Result<String> {
    let output = child
        .stdout
        .take()
        .context("the server has no standard output")?;
    let (sender, lines) = sync_channel(16);
    std::thread::spawn(move || {
        // Reads on after the line was found, so that the server never blocks on a full pipe.
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.trim_start().starts_with('{') {
                sender.try_send(line).ok();
            }
        }
    });
    match lines.recv_timeout(READY_WITHIN) {
        Ok(line) => Ok(line),
        Err(RecvTimeoutError::Timeout) => {
            bail!(
                "the stack was not ready within {} s",
                READY_WITHIN.as_secs()
            )
        }
        Err(RecvTimeoutError::Disconnected) => {
            bail!("the server ended before it was ready; its own output above says why")
        }
    }
}

/// Asks the child to stop, and kills it when it does not.
fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
    }
    let deadline = std::time::Instant::now() + STOPPED_WITHIN;
    while std::time::Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().ok();
    child.wait().ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_with_and_without_its_optional_parts() {
        let line = r#"{"http":"127.0.0.1:1","admin":"http://127.0.0.1:2/","postgres":{"host":"127.0.0.1","port":3,"user":"u","dbname":"d","password_file":"/p"},"more":1}"#;
        let told = Told::read(line).expect("complete");
        let access = told.database.expect("told");
        assert_eq!(access.connection, "host=127.0.0.1 port=3 dbname=d user=u");
        assert_eq!(access.password_file.as_deref(), Some(Path::new("/p")));
        assert_eq!(told.admin.expect("told").address.port(), 2);
        let bare = Told::read(r#"{"http":"127.0.0.1:1"}"#).expect("enough");
        assert!(bare.admin.is_none() && bare.database.is_none());
        assert!(Told::read(r#"{"admin":"127.0.0.1:1"}"#).is_err());
    }
}
