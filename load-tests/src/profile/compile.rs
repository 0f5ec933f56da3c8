//! The compilation of a profile into the plan of a run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hyper::header::HeaderName;

use super::spec::{Connections, Profile, ScenarioSpec};
use crate::engine::{Arrival, ConnectionMode, Follow, LoadModel, Plan, Retry, Scenario};
use crate::schedule::{Phase, arrivals};
use crate::target::Target;
use crate::workload::{Custom, Expect, Kind, Maker, Place, Rows, Template};

/// The longest schedule of a scenario: 1.6 GB of moments, and hours at any rate that one machine
/// can send.
const REQUESTS_MAX: u64 = 100_000_000;

/// The most generator threads; more are no faster on any machine.
const THREADS_MAX: usize = 1024;

/// Choices of the command line, which go before those of the profile.
#[derive(Clone, Debug)]
pub struct Overrides {
    /// Draws everything that is random.
    pub seed: u64,
    /// Divides every length of time; rates stay.
    pub speed: f64,
    /// Generator threads.
    pub threads: usize,
    /// Closed mode with this many connections, whatever the profile says.
    pub connections: Option<usize>,
    /// How late one request in a hundred may begin, whatever the profile says.
    pub lateness_max: Option<Duration>,
    /// The measured capacity, for rates given as multiples of it.
    pub capacity: Option<f64>,
    /// Draws the letters of created warriors; the seed does without.
    pub letters: Option<u64>,
}

impl Overrides {
    /// A run as its profile says, on one thread, with this seed.
    pub fn seeded(seed: u64) -> Overrides {
        Overrides {
            seed,
            speed: 1.0,
            threads: 1,
            connections: None,
            lateness_max: None,
            capacity: None,
            letters: None,
        }
    }
}

/// The plan of a profile against a target.
pub fn compile(profile: &Profile, target: &Target, overrides: &Overrides) -> anyhow::Result<Plan> {
    ensure!(
        overrides.speed > 0.0 && overrides.speed.is_finite(),
        "--speed {}: want a number above 0",
        overrides.speed
    );
    ensure!(
        (1..=THREADS_MAX).contains(&overrides.threads),
        "--threads {}: want 1 to {THREADS_MAX}",
        overrides.threads
    );
    let repeats = profile.scenario.iter().any(|spec| spec.retry.is_some());
    ensure!(
        overrides.connections.is_none() || !repeats,
        "--connections: `retry` of profile `{}` has no effect in the closed model",
        profile.name
    );
    let mut endpoints = Vec::new();
    let mut scenarios = Vec::new();
    for (lane, spec) in profile.scenario.iter().enumerate() {
        let place = || format!("scenario `{}` of profile `{}`", spec.name, profile.name);
        let kind = kind(spec, profile).with_context(place)?;
        endpoints.push(spec.name.clone());
        let endpoint = endpoints.len() - 1;
        let follow = spec.follow.as_ref().map(|follow| {
            endpoints.push(follow.name.clone());
            Follow {
                endpoint: endpoints.len() - 1,
                after: (follow.after_min, follow.after_max),
            }
        });
        let retry = spec.retry.as_ref().map(|retry| {
            endpoints.push(retry.name.clone());
            Retry {
                endpoint: endpoints.len() - 1,
                times: retry.times,
            }
        });
        let maker = Maker::new(kind, overrides.seed, lane as u64, target);
        maker.check().with_context(place)?;
        scenarios.push(Scenario {
            endpoint,
            maker: maker.in_letters(overrides.letters),
            follow,
            retry,
            weight: spec.weight,
        });
    }
    let closed = profile.closed.as_ref().map(|closed| closed.connections);
    let load = match overrides.connections.or(closed) {
        Some(connections) => {
            ensure!(connections > 0, "closed mode wants at least 1 connection");
            LoadModel::Closed { connections }
        }
        None => LoadModel::Open(merged(profile, overrides)?),
    };
    Ok(Plan {
        target: target.clone(),
        endpoints,
        scenarios,
        load,
        length: faster(length(profile)?, overrides.speed)?,
        connections: match profile.connections {
            Connections::Shared => ConnectionMode::Shared,
            Connections::PerUser => ConnectionMode::PerUser,
        },
        connections_max: profile.connections_max,
        timeout: profile.timeout,
        lateness_max: overrides.lateness_max.unwrap_or(profile.lateness_max),
        warmup: faster(profile.warmup, overrides.speed)?,
        threads: overrides.threads,
        seed: overrides.seed,
    })
}

fn faster(length: Duration, speed: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(length.as_secs_f64() / speed)
        .with_context(|| format!("--speed {speed} makes the run longer than can be counted"))
}

/// How long the profile takes: its longest scenario, whatever arrives when within it.
fn length(profile: &Profile) -> anyhow::Result<Duration> {
    if let Some(closed) = &profile.closed {
        return Ok(closed.length);
    }
    let mut longest = Duration::ZERO;
    for scenario in &profile.scenario {
        let mut length = Duration::ZERO;
        for arrival in &scenario.arrivals {
            // Any capacity will do: it changes rates and no lengths.
            let phases = arrival.phases(Some(1.0))?;
            length += phases.iter().map(|phase| phase.length).sum::<Duration>();
        }
        longest = longest.max(length);
    }
    Ok(longest)
}

/// The arrivals of all scenarios, in the order of their moments.
fn merged(profile: &Profile, overrides: &Overrides) -> anyhow::Result<Vec<Arrival>> {
    let mut all = Vec::new();
    for (scenario, spec) in profile.scenario.iter().enumerate() {
        let mut phases: Vec<Phase> = Vec::new();
        for arrival in &spec.arrivals {
            let expanded = arrival
                .phases(overrides.capacity)
                .with_context(|| format!("arrivals of scenario `{}`", spec.name))?;
            for phase in expanded {
                let length = faster(phase.length, overrides.speed)?;
                phases.push(Phase { length, ..phase });
            }
        }
        let count = phases.iter().map(Phase::count).fold(0, u64::saturating_add);
        ensure!(
            count <= REQUESTS_MAX,
            "scenario `{}` sends {count} requests, and the schedule is computed ahead: want at \
             most {REQUESTS_MAX}; give a lower rate or a shorter time",
            spec.name
        );
        // A seed of its own, so that two scenarios with the same phases do not arrive together.
        let seed = overrides.seed.wrapping_add(scenario as u64 + 1);
        for (index, at) in arrivals(&phases, seed).into_iter().enumerate() {
            all.push(Arrival {
                at_nanos: at,
                scenario: u32::try_from(scenario)?,
                index: u32::try_from(index)?,
            });
        }
    }
    all.sort_by_key(|arrival| arrival.at_nanos);
    Ok(all)
}

fn kind(spec: &ScenarioSpec, profile: &Profile) -> anyhow::Result<Kind> {
    if let Some(request) = &spec.request {
        return Ok(match request.as_str() {
            "create" => Kind::Create,
            "create-valid" => Kind::CreateValid,
            "search" => Kind::Search,
            "search-without-term" => Kind::SearchWithoutTerm,
            "find" => Kind::Find,
            "count" => Kind::Count,
            other => bail!(
                "unknown request `{other}`; want create, create-valid, search, \
                 search-without-term, find or count"
            ),
        });
    }
    let rows = match &spec.fields_file {
        Some(file) => Rows::parse(profile.file(file)?)?,
        None => Rows::default(),
    };
    let body = match (&spec.body, &spec.body_file) {
        (Some(body), _) => Some(body.clone()),
        (None, Some(file)) => Some(profile.file(file)?.text.to_string()),
        (None, None) => None,
    };
    let method = spec
        .method
        .as_deref()
        .unwrap_or(if body.is_some() { "POST" } else { "GET" });
    let path = Template::parse(spec.path.as_deref().unwrap_or("/"), Place::Path, &rows)?;
    let mut headers = Vec::new();
    for (name, value) in &spec.headers {
        let parsed: HeaderName = (name.parse()).with_context(|| format!("header name `{name}`"))?;
        let value = Template::parse(value, Place::Header, &rows)
            .with_context(|| format!("header `{name}`"))?;
        headers.push((parsed, value));
    }
    let media_type = spec
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media_type = media_type.map(|(_, value)| value.as_str());
    let body = body
        .map(|body| Template::parse(&body, Place::of_body(media_type, &body), &rows))
        .transpose()?;
    if let Some(file) = &spec.fields_file {
        let values = headers.iter().map(|(_, value)| value);
        let mut texts = values.chain([&path]).chain(&body);
        ensure!(
            texts.any(Template::draws_from_rows),
            "the fields file {} has no effect: no `{{{{key}}}}` of it is in the path, a header or the body",
            file.display()
        );
    }
    Ok(Kind::Custom(Arc::new(Custom {
        method: method
            .parse()
            .with_context(|| format!("method `{method}`"))?,
        path,
        body,
        headers,
        expect: match spec.expect.as_slice() {
            [] => Expect::AnySuccess,
            [status] => Expect::Exactly(*status),
            several => Expect::AnyOf(several.into()),
        },
        rows,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_as_long_as_its_profile_says() {
        let seconds = |arrivals: &str, connections| {
            let text = format!("name='x'\n[[scenario]]\nname='a'\npath='/'\narrivals=[{arrivals}]");
            let profile = Profile::parse(&text, ".".as_ref()).expect("valid");
            let overrides = Overrides {
                speed: 2.0,
                connections,
                ..Overrides::seeded(1)
            };
            let target = Target::parse("http://127.0.0.1:1").expect("a URL");
            let plan = compile(&profile, &target, &overrides).expect("a plan");
            plan.measured_seconds()
        };
        // Not until the last arrival, which is due half a second before the end.
        assert_eq!(seconds("{rate=1, for='4s'}", None), 2.0);
        assert_eq!(seconds("{steps=[1,2], for='4s'}", None), 4.0);
        assert_eq!(seconds("{steps=[1,2], for='4s'}", Some(3)), 4.0);
    }
}
