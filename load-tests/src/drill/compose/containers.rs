//! The containers of one compose project.

use std::num::NonZero;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// The port that the API has in its containers.
const API_PORT: &str = "5001/tcp";

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const ONE_OFF: &str = "com.docker.compose.oneoff";
/// A service's label: seconds within which it promises to be healed, where these are not those of every service.
const HEALED_WITHIN_LABEL: &str = "warrior-load.healed-within-seconds";

/// A container that runs.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    service: String,
    /// The bindings of the API's port: the address, and the port on the host.
    published: Option<(String, String)>,
    /// Whether that port is another one after each start.
    is_drawn: bool,
    /// How long its healing may take, if it says so itself.
    pub(super) healed_within: Option<Duration>,
}

/// A compose project.
#[derive(Debug)]
pub(super) struct Project {
    compose: &'static [&'static str],
    name: String,
}

impl Project {
    /// The project of this name, or of this folder, as compose tells.
    pub(super) fn find(name: Option<&str>) -> anyhow::Result<Project> {
        output(&["docker", "info"])
            .context("no Docker engine answers; start one, or see if `docker info` says why")?;
        let compose: &[&str] = if output(&["docker", "compose", "version"]).is_ok() {
            &["docker", "compose"]
        } else if output(&["docker-compose", "version"]).is_ok() {
            &["docker-compose"]
        } else {
            bail!(
                "neither `docker compose` nor docker-compose is installed; https://docs.docker.com/compose/install/"
            );
        };
        let ids = listed(compose, name)?;
        ensure!(
            !ids.is_empty(),
            "compose lists no containers; start them, or name the project with --project"
        );
        let found = inspected(&ids)?;
        let of = found.iter().map(|container| label(container, PROJECT));
        let projects: std::collections::BTreeSet<&str> = of.flatten().collect();
        let [project] = Vec::from_iter(projects)[..] else {
            bail!("compose lists containers of no project, or of several; name one with --project");
        };
        Ok(Project {
            compose,
            name: project.to_owned(),
        })
    }

    /// The services that run, or those that were named.
    pub(super) fn services(&self, named: &[String]) -> anyhow::Result<Vec<String>> {
        let mut running: Vec<String> = (self.running()?.into_iter())
            .map(|container| container.service)
            .collect();
        running.sort();
        running.dedup();
        ensure!(
            !running.is_empty(),
            "no service of the project {} runs",
            self.name
        );
        for name in named {
            ensure!(
                running.contains(name),
                "--services {name}: the project {} runs {}",
                self.name,
                running.join(", ")
            );
        }
        Ok(match named.is_empty() {
            true => running,
            false => named.to_vec(),
        })
    }

    /// The first container of a service.
    pub(super) fn first(&self, service: &str) -> anyhow::Result<Container> {
        let running = self.running()?.into_iter();
        let mut of_service = running.filter(|container| container.service == service);
        let first = of_service.next();
        first.with_context(|| format!("no container of the service {service} runs"))
    }

    /// Where the API is published.
    pub(super) fn published(&self) -> anyhow::Result<String> {
        let running = self.running()?;
        let found = running
            .iter()
            .find(|container| container.published.is_some());
        let Some((container, (address, port))) =
            found.and_then(|container| Some((container, container.published.as_ref()?)))
        else {
            bail!(
                "no container of the project {} publishes port {API_PORT}; name the API with --url",
                self.name
            );
        };
        ensure!(
            !container.is_drawn,
            "the port of {} is another one after each start; publish it at a fixed one (PUBLISH_PORT), or name the API \
             with --url",
            container.name
        );
        let host = match address.as_str() {
            "" | "0.0.0.0" | "::" => "127.0.0.1",
            address => address,
        };
        Ok(format!("http://{host}:{port}"))
    }

    fn running(&self) -> anyhow::Result<Vec<Container>> {
        let ids = listed(self.compose, Some(&self.name))?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = inspected(&ids)?;
        let ours = found
            .iter()
            .filter_map(|value| container(value, &self.name).transpose());
        ours.collect()
    }
}

impl Container {
    /// Whether clients come in through it.
    pub(super) fn is_published(&self) -> bool {
        self.published.is_some()
    }
}

/// The ids that compose lists.
fn listed(compose: &[&str], project: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut command = compose.to_vec();
    command.extend(project.iter().flat_map(|name| ["-p", *name]));
    command.extend(["ps", "-q"]);
    let text = output(&command).context(
        "compose lists no containers; run it in the folder of its file, or name it in COMPOSE_FILE",
    )?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn inspected(ids: &[String]) -> anyhow::Result<Vec<Value>> {
    let mut command = vec!["docker", "inspect"];
    command.extend(ids.iter().map(String::as_str));
    serde_json::from_str(&output(&command)?).context("docker inspect answers in another form")
}

fn label<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    container["Config"]["Labels"][name].as_str()
}

/// A container of this project that runs and is no run of its own.
///
/// # Errors
/// When its label is no number of seconds.
fn container(value: &Value, project: &str) -> anyhow::Result<Option<Container>> {
    let is_ours = label(value, PROJECT) == Some(project)
        && label(value, ONE_OFF) != Some("True")
        && value["State"]["Running"] == true;
    let Some(service) = label(value, SERVICE).filter(|_| is_ours) else {
        return Ok(None);
    };
    let healed_within = label(value, HEALED_WITHIN_LABEL).map(|seconds| {
        let what = || {
            format!("{service}: label {HEALED_WITHIN_LABEL}: {seconds:?} is no number of seconds")
        };
        let seconds: NonZero<u32> = seconds.parse().with_context(what)?;
        anyhow::Ok(Duration::from_secs(seconds.get().into()))
    });
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let published = &value["NetworkSettings"]["Ports"][API_PORT][0];
    let asked = &value["HostConfig"]["PortBindings"][API_PORT][0]["HostPort"];
    Ok(Some(Container {
        id: text(&value["Id"]),
        name: text(&value["Name"]).trim_start_matches('/').to_owned(),
        service: service.to_owned(),
        published: (published.is_object())
            .then(|| (text(&published["HostIp"]), text(&published["HostPort"]))),
        is_drawn: matches!(asked.as_str(), None | Some("" | "0")),
        healed_within: healed_within.transpose()?,
    }))
}

/// What a program prints, once it has ended well.
pub(super) fn output(command: &[&str]) -> anyhow::Result<String> {
    let [program, arguments @ ..] = command else {
        bail!("no command");
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}: {}", command.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(running: bool, asked: &str) -> Value {
        serde_json::json!({
            "Id": "abc", "Name": "/p_balancer_1", "State": { "Running": running },
            "Config": { "Labels": { PROJECT: "p", SERVICE: "balancer", ONE_OFF: "False" } },
            "HostConfig": { "PortBindings": { API_PORT: [{ "HostIp": "", "HostPort": asked }] } },
            "NetworkSettings": { "Ports": { API_PORT: [{ "HostIp": "0.0.0.0", "HostPort": "5001" }] } }
        })
    }

    fn ours(value: &Value) -> Container {
        container(value, "p").expect("readable").expect("ours")
    }

    #[test]
    fn only_what_runs_in_the_named_project_is_a_container_of_it() {
        let found = ours(&inspected(true, "5001"));
        assert_eq!(
            (found.id.as_str(), found.service.as_str()),
            ("abc", "balancer")
        );
        assert_eq!(
            found.published,
            Some(("0.0.0.0".to_owned(), "5001".to_owned()))
        );
        assert!(!found.is_drawn);
        assert!(ours(&inspected(true, "0")).is_drawn);
        for (value, project) in [
            (inspected(true, "5001"), "other"),
            (inspected(false, "5001"), "p"),
        ] {
            assert!(container(&value, project).expect("readable").is_none());
        }
    }

    #[test]
    fn a_container_says_how_long_its_healing_may_take() {
        assert_eq!(ours(&inspected(true, "5001")).healed_within, None);
        let with = |seconds: &str| {
            let mut value = inspected(true, "5001");
            value["Config"]["Labels"][HEALED_WITHIN_LABEL] = seconds.into();
            value
        };
        assert_eq!(
            ours(&with("30")).healed_within,
            Some(Duration::from_secs(30))
        );
        for wrong in ["soon", "0", "-1"] {
            let error = container(&with(wrong), "p").expect_err(wrong);
            assert!(error.to_string().contains(HEALED_WITHIN_LABEL), "{error}");
        }
    }
}
