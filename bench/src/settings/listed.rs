//! The settings that are there for speed, and which of them were asked for.

use anyhow::bail;

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
}

/// Every setting of the two files that is there for speed. The others promise something, and a test keeps
/// the promise.
const LISTED: [Listed; 6] = [
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
];

const fn listed(name: &'static str, loads: &'static [Load], seconds: u32) -> Listed {
    Listed {
        program: Program::Postgres,
        name,
        loads,
        seconds,
    }
}

/// A setting that was asked for.
pub(super) struct RequestedSetting {
    pub(super) program: Program,
    pub(super) name: String,
    pub(super) loads: &'static [Load],
    pub(super) seconds: u32,
    /// The value that takes the default's place.
    pub(super) instead: Option<String>,
}

/// The settings that were asked for. One that is not listed is PostgreSQL's, with a value to try.
pub(super) fn requested(options: &SettingsOptions) -> anyhow::Result<Vec<RequestedSetting>> {
    if options.settings.is_empty() {
        return Ok(LISTED
            .iter()
            .map(|listed| RequestedSetting::new(listed, None))
            .collect());
    }
    let one = |asked: &String| -> anyhow::Result<RequestedSetting> {
        let (name, value) = match asked.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (asked.as_str(), None),
        };
        let found = LISTED.iter().find(|listed| listed.name == name);
        match (found, value) {
            (Some(listed), value) => Ok(RequestedSetting::new(listed, value)),
            (None, value @ Some(_)) => Ok(RequestedSetting {
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
            program: listed.program,
            name: listed.name.to_owned(),
            loads: listed.loads,
            seconds: listed.seconds,
            instead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_stands_in_the_files() {
        let files = [
            include_str!("../../../postgres-conf/postgresql.conf"),
            include_str!("../../../pgbouncer/pgbouncer.ini"),
        ];
        for Listed { program, name, .. } in &LISTED {
            let file = files[usize::from(*program == Program::Pooler)];
            let set = format!("\n{name} = ");
            assert!(file.contains(&set), "{name} is not set any more");
        }
    }
}
