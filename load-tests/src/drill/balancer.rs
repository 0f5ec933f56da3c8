//! HAProxy with the configuration that the product ships, before servers that are found by name, as in containers.

mod names;
mod program;

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

pub(super) use self::program::find;

use self::names::Names;
use super::probe;
use crate::client;
use crate::target::Target;

const CONFIGURATION: &str = include_str!("../../../balancer/haproxy.cfg");
const PROBLEMS: [(&str, &str); 4] = [
    (
        "400.json",
        include_str!("../../../balancer/problems/400.json"),
    ),
    (
        "408.json",
        include_str!("../../../balancer/problems/408.json"),
    ),
    (
        "503.json",
        include_str!("../../../balancer/problems/503.json"),
    ),
    (
        "504.json",
        include_str!("../../../balancer/problems/504.json"),
    ),
];
/// Where the container has its files, and where its public listener is: the servers share its namespace here.
const FOLDER: &str = "/etc/haproxy/problems/";
const PUBLIC: &str = "bind :5001";
/// The address of the balancer, and that of the name server which its configuration names.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const NAME_SERVER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11)), 53);
/// Variables of docker-compose.yml.
const VARIABLES: [(&str, &str); 4] = [
    ("API_SERVICE", "api.drill"),
    ("API_MAX_CONNECTIONS", "128"),
    ("BALANCER_MAX_CONNECTIONS", "2000"),
    ("REQUEST_DEADLINE_MS", "3000"),
];
/// Ports of a server, as the configuration has them.
pub(super) const PUBLIC_PORT: u16 = 5001;
pub(super) const ADMIN_PORT: u16 = 5002;
/// Longest wait until it knows a server.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// A running balancer; killed when dropped.
pub(super) struct Balancer {
    child: Child,
    pub(super) target: Target,
    metrics: Target,
    log: PathBuf,
    _names: Names,
}

/// What it says of a server among those that take creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) is_up: bool,
    /// Requests at the server.
    pub(super) sessions: u64,
}

impl Balancer {
    /// Starts one before servers at these addresses, with files in `folder` and the secret of `secret`.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        secret: &Path,
        servers: Vec<Ipv4Addr>,
    ) -> anyhow::Result<Balancer> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let (configuration, keys) = (folder.join("haproxy.cfg"), folder.join("secret.cfg"));
        fs::write(&configuration, adapted(folder)?)?;
        for (name, text) in PROBLEMS {
            fs::write(folder.join(name), text)?;
        }
        let mut private = File::options();
        let mut file = (private.create_new(true).write(true).mode(0o600)).open(&keys)?;
        file.write_all(signing(&fs::read(secret)?).as_bytes())?;
        let names = Names::serve(NAME_SERVER, servers).context("the name server of the drill")?;
        let log = folder.join("haproxy.log");
        let said = File::create(&log)?;
        let child = Command::new(program)
            .arg("-db")
            .args([Path::new("-f"), &keys, Path::new("-f"), &configuration])
            .envs(VARIABLES)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let at = |address: Ipv4Addr, port: u16| Target::parse(&format!("http://{address}:{port}"));
        Ok(Balancer {
            child,
            target: at(ADDRESS, PUBLIC_PORT)?,
            metrics: at(Ipv4Addr::LOCALHOST, 8404)?,
            log,
            _names: names,
        })
    }

    /// The servers that take creates, by what it says of them.
    pub(super) fn sees(&self) -> anyhow::Result<Vec<Seen>> {
        let answer = client::get(&self.metrics, "/metrics?scope=server&no-maint")?;
        ensure!(answer.status == 200, "its /metrics is {}", answer.status);
        Ok(seen(&String::from_utf8_lossy(&answer.body)))
    }

    /// Waits until so many servers take creates.
    pub(super) fn await_up(&mut self, wanted: usize) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("HAProxy ended with {status}: {}", last(&said));
            }
            // It does not listen yet.
            let seen = self.sees().unwrap_or_default();
            if seen.iter().filter(|server| server.is_up).count() == wanted
                && probe::status(&self.target, "/health") == Some(200)
            {
                return Ok(());
            }
            if Instant::now() > until {
                bail!(
                    "after {} s HAProxy sees {seen:?}, not {wanted} servers",
                    PATIENCE.as_secs()
                );
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The configuration with its files in `folder`, and at an address beside those of the servers.
fn adapted(folder: &Path) -> anyhow::Result<String> {
    let folder = format!("{}/", folder.to_str().context("a path that is no text")?);
    let public = format!("bind {ADDRESS}:{PUBLIC_PORT}");
    let mut text = CONFIGURATION.to_owned();
    for (shipped, ours) in [(FOLDER, &folder), (PUBLIC, &public)] {
        ensure!(
            text.contains(shipped),
            "no `{shipped}` in balancer/haproxy.cfg any more"
        );
        text = text.replace(shipped, ours);
    }
    Ok(text)
}

/// The lines that balancer/container-start makes of the secret.
fn signing(secret: &[u8]) -> String {
    let end = secret.iter().rposition(|byte| !b"\r\n".contains(byte));
    let secret = BASE64_STANDARD.encode(&secret[..end.map_or(0, |end| end + 1)]);
    format!("global\n    set-var proc.idempotency str({secret})\n")
}

fn seen(metrics: &str) -> Vec<Seen> {
    let of = |name: &str, rest: &str| -> Vec<(String, u64)> {
        let lines = metrics.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(name)?.split_once("} ")?;
            let server = labels.strip_prefix("{proxy=\"create\",server=\"")?;
            let server = server.strip_suffix(rest)?;
            Some((server.to_owned(), value.trim().parse().ok()?))
        });
        lines.collect()
    };
    let sessions = of("haproxy_server_current_sessions", "\"");
    of("haproxy_server_status", "\",state=\"UP\"")
        .into_iter()
        .map(|(name, up)| Seen {
            is_up: up == 1,
            sessions: (sessions.iter())
                .find(|(other, _)| *other == name)
                .map_or(0, |(_, n)| *n),
            name,
        })
        .collect()
}

fn last(said: &str) -> &str {
    said.lines().last().unwrap_or("it said nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_changed_in_its_places_alone() {
        let adapted = adapted(Path::new("/drill")).expect("it is adapted");
        let changed: Vec<(&str, &str)> = (CONFIGURATION.lines().zip(adapted.lines()))
            .filter(|(shipped, ours)| shipped != ours)
            .collect();
        let public = changed
            .iter()
            .filter(|(shipped, _)| shipped.contains(PUBLIC));
        assert_eq!(public.count(), 1);
        let problems = changed.iter().filter(|(_, ours)| ours.contains(" /drill/"));
        assert_eq!(problems.count(), changed.len() - 1);
        for (shipped, _) in &changed {
            let name = shipped.rsplit('/').next().expect("a line");
            assert!(
                shipped.contains(PUBLIC) || PROBLEMS.iter().any(|(known, _)| *known == name),
                "{shipped}"
            );
        }
        assert!(CONFIGURATION.contains(&format!("nameserver dns {NAME_SERVER}\n")));
        for (name, _) in VARIABLES {
            let forms = [format!("\"${name}\""), format!("env({name})")];
            assert!(
                forms.iter().any(|form| CONFIGURATION.contains(form)),
                "{name}"
            );
        }
    }

    #[test]
    fn its_figures_are_read() {
        let text = "haproxy_server_current_sessions{proxy=\"create\",server=\"api2\"} 7\n\
                    haproxy_server_status{proxy=\"create\",server=\"api1\",state=\"DOWN\"} 1\n\
                    haproxy_server_status{proxy=\"create\",server=\"api1\",state=\"UP\"} 0\n\
                    haproxy_server_status{proxy=\"create\",server=\"api2\",state=\"UP\"} 1\n\
                    haproxy_server_status{proxy=\"read\",server=\"api2\",state=\"UP\"} 1\n";
        let server = |name: &str, is_up, sessions| Seen {
            name: name.to_owned(),
            is_up,
            sessions,
        };
        assert_eq!(
            seen(text),
            [server("api1", false, 0), server("api2", true, 7)]
        );
    }

    #[test]
    fn the_secret_is_taken_without_the_end_of_its_line() {
        assert_eq!(
            signing(b"secret\r\n"),
            "global\n    set-var proc.idempotency str(c2VjcmV0)\n"
        );
    }
}
