//! The settings that are there for speed, and which of them were asked for.

use anyhow::bail;
use warrior_load::stack::Version;

use super::options::{Load, SettingsOptions};

/// The program that has a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Postgres,
    Pooler,
}

/// A setting that is there for speed, what it is about, and how long it takes to show.
struct Listed {
    program: Program,
    name: &'static str,
    loads: &'static [Load],
    seconds: u32,
    /// What ours is compared with where the default is no other value in every version.
    instead: Option<&'static str>,
    /// The first version that has it, where a supported one has not.
    since: Option<Version>,
}

/// The first PgBouncer that keeps the names of statements.
const KEEPS_NAMES: Version = Version {
    major: 1,
    minor: 21,
};

/// Every setting of the two files that is there for speed. The others promise something, and a test keeps
/// the promise.
const LISTED: [Listed; 7] = [
    listed("random_page_cost", &[Load::Search, Load::Find], 0),
    listed("effective_io_concurrency", &[Load::Cold], 0),
    listed(
        "shared_buffers",
        &[Load::Create, Load::Find, Load::Search],
        0,
    ),
    // Long enough for the log to fill the default, which is when a checkpoint comes.
    listed("max_wal_size", &[Load::Create], 12),
    // Long enough for autovacuum to come.
    listed("autovacuum_vacuum_cost_limit", &[Load::Create], 21),
    // The setting is about many clients; here the price of transaction pooling shows.
    Listed {
        program: Program::Pooler,
        ..listed("pool_mode", &[Load::Create, Load::Find], 0)
    },
    // Named statements, and none.
    Listed {
        program: Program::Pooler,
        instead: Some("0"),
        since: Some(KEEPS_NAMES),
        ..listed(
            NAMES,
            &[Load::Find, Load::Count, Load::Create, Load::Search],
            0,
        )
    },
];

/// The setting that decides whether the server names its statements.
pub(super) const NAMES: &str = "max_prepared_statements";

const fn listed(name: &'static str, loads: &'static [Load], seconds: u32) -> Listed {
    Listed {
        program: Program::Postgres,
        name,
        loads,
        seconds,
        instead: None,
        since: None,
    }
}

/// A setting that was asked for.
pub(super) struct RequestedSetting {
    /// None where the programs have to be asked which of them has it.
    pub(super) program: Option<Program>,
    pub(super) name: String,
    pub(super) loads: &'static [Load],
    pub(super) seconds: u32,
    /// The value that takes the default's place.
    pub(super) instead: Option<String>,
    /// The first version that has it.
    since: Option<Version>,
    /// Whether it was asked for by its name.
    by_name: bool,
}

/// The settings that were asked for. One that is not listed is PostgreSQL's or PgBouncer's, with a value to try;
/// where both have one of that name, `pgbouncer.NAME` and `postgresql.NAME` say which.
pub(super) fn requested(options: &SettingsOptions) -> anyhow::Result<Vec<RequestedSetting>> {
    if options.settings.is_empty() {
        return Ok(LISTED
            .iter()
            .map(|listed| RequestedSetting {
                by_name: false,
                ..RequestedSetting::new(listed, None)
            })
            .collect());
    }
    let one = |asked: &String| -> anyhow::Result<RequestedSetting> {
        let (name, value) = match asked.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (asked.as_str(), None),
        };
        let (program, name) = match name.split_once('.') {
            Some(("pgbouncer", name)) => (Some(Program::Pooler), name),
            Some(("postgresql", name)) => (Some(Program::Postgres), name),
            _ => (None, name),
        };
        let found = LISTED.iter().find(|listed| {
            listed.name == name && program.is_none_or(|program| program == listed.program)
        });
        match (found, value) {
            (Some(listed), value) => Ok(RequestedSetting::new(listed, value)),
            (None, value @ Some(_)) => Ok(RequestedSetting {
                program,
                name: name.to_owned(),
                ..RequestedSetting::new(&listed("", &[Load::Create], 0), value)
            }),
            (None, None) => {
                let names: Vec<_> = LISTED.iter().map(|listed| listed.name).collect();
                bail!(
                    "--setting {name}: the files do not set it for speed, so give a value to try \
                     ({name}=VALUE), or one of {}",
                    names.join(", ")
                )
            }
        }
    };
    options.settings.iter().map(one).collect()
}

impl RequestedSetting {
    fn new(listed: &Listed, instead: Option<String>) -> RequestedSetting {
        RequestedSetting {
            program: Some(listed.program),
            name: listed.name.to_owned(),
            loads: listed.loads,
            seconds: listed.seconds,
            instead: instead.or(listed.instead.map(str::to_owned)),
            since: listed.since,
            by_name: true,
        }
    }

    /// Why this PgBouncer cannot have it.
    fn missing(&self, pooler: Version) -> Option<String> {
        let since = self.since.filter(|since| pooler < *since)?;
        Some(format!(
            "{}: PgBouncer {pooler} does not know it, and keeps no names of statements; {since} and newer do, and the \
             variable PGBOUNCER names their program",
            self.name
        ))
    }
}

/// Those that this PgBouncer can have, and why the others are left out.
///
/// # Errors
/// When one of the others was asked for by its name.
pub(super) fn supported(
    requested: Vec<RequestedSetting>,
    pooler: Version,
) -> anyhow::Result<(Vec<RequestedSetting>, Vec<String>)> {
    let (mut supported, mut left_out) = (Vec::new(), Vec::new());
    for setting in requested {
        match setting.missing(pooler) {
            None => supported.push(setting),
            Some(why) if setting.by_name => bail!("--setting {why}"),
            Some(why) => left_out.push(why),
        }
    }
    Ok((supported, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_stands_in_the_files() {
        let files = [
            include_str!("../../../postgres-conf/postgresql.conf"),
            // The second has what only newer versions know.
            concat!(
                include_str!("../../../pgbouncer/pgbouncer.ini"),
                include_str!("../../../pgbouncer/container-start")
            ),
        ];
        for Listed { program, name, .. } in &LISTED {
            let file = files[usize::from(*program == Program::Pooler)];
            let set = format!("\n{name} = ");
            assert!(file.contains(&set), "{name} is not set any more");
        }
    }

    #[test]
    fn what_a_pooler_does_not_know_is_left_out_unless_it_was_asked_for() {
        let (old, new) = (
            Version {
                minor: 18,
                ..KEEPS_NAMES
            },
            KEEPS_NAMES,
        );
        let mut options = SettingsOptions {
            server: "warrior-api".into(),
            rows: 1,
            rounds: 1,
            seconds: 1,
            threads: 1,
            connections: None,
            settings: Vec::new(),
            loads: Vec::new(),
        };
        let ask = |options: &SettingsOptions, pooler| {
            supported(
                requested(options).expect("settings that are listed"),
                pooler,
            )
        };
        let (all, left_out) = ask(&options, new).expect("all of them");
        assert_eq!((all.len(), left_out.len()), (LISTED.len(), 0));
        let (some, left_out) = ask(&options, old).expect("all but one");
        assert_eq!((some.len(), left_out.len()), (LISTED.len() - 1, 1));
        options.settings = vec![NAMES.to_owned()];
        assert!(ask(&options, old).is_err());
        let (one, _) = ask(&options, new).expect("the one");
        assert_eq!(one[0].instead.as_deref(), Some("0"));
    }
}
