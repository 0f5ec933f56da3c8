//! One setting of a running stack, and how it is changed.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::{Client, SimpleQueryMessage};

use super::listed::Program;
use warrior_load::stress::Stack;

/// How long a change may take to be seen, with a restart and a recovery in between.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// Restarts at most so often: the stack takes a PostgreSQL that ends six times in a minute for broken.
const RESTART_EVERY: Duration = Duration::from_secs(15);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A setting, its two values as its program shows them, and how it takes another.
pub(super) struct Knob {
    name: String,
    pub(super) default: String,
    pub(super) ours: String,
    /// What a change is told, which is in the unit of the program.
    told: String,
    way: Way,
}

enum Way {
    /// PostgreSQL reads its files again.
    Reload,
    /// PostgreSQL has to be started again; the stack does it.
    Restart,
    /// PgBouncer's console.
    Console,
}

impl Knob {
    /// Asks the program; `instead` takes the place of the default.
    pub(super) fn find(
        stack: &Stack,
        program: Program,
        name: &str,
        instead: Option<&str>,
    ) -> anyhow::Result<Knob> {
        match program {
            Program::Postgres => Knob::of_postgres(stack, name, instead),
            Program::Pooler => Knob::of_pooler(stack, name, instead),
        }
    }

    fn of_postgres(stack: &Stack, name: &str, instead: Option<&str>) -> anyhow::Result<Knob> {
        let row = stack
            .superuser()
            .connect()?
            .query_opt(include_str!("../sql/setting.sql"), &[&name])?
            .with_context(|| format!("PostgreSQL has no setting {name}"))?;
        let context: String = row.try_get("context")?;
        let default: String = row.try_get("default_value")?;
        let unit: Option<String> = row.try_get("unit")?;
        Ok(Knob {
            name: name.to_owned(),
            default: match (instead, unit) {
                (Some(value), _) => value.to_owned(),
                (None, Some(unit)) => readable(&default, &unit),
                (None, None) => default.clone(),
            },
            ours: in_postgres(stack, name)?,
            told: instead.map_or(default, str::to_owned),
            way: if context == "postmaster" {
                Way::Restart
            } else {
                Way::Reload
            },
        })
    }

    fn of_pooler(stack: &Stack, name: &str, instead: Option<&str>) -> anyhow::Result<Knob> {
        let default = match instead {
            Some(value) => value.to_owned(),
            None => in_pooler(stack, name, "default")?,
        };
        Ok(Knob {
            name: name.to_owned(),
            told: default.clone(),
            default,
            ours: in_pooler(stack, name, "value")?,
            way: Way::Console,
        })
    }

    /// Sets the default or our value, and returns when it is in effect.
    pub(super) fn turn(&self, stack: &mut Stack, ours: bool) -> anyhow::Result<()> {
        let told = if ours { &self.ours } else { &self.told };
        let what = || format!("{} = {told}", self.name);
        if (self.shown(stack)? == self.ours) == ours {
            return Ok(());
        }
        self.try_turn(stack, ours).with_context(what)?;
        let shown = self.shown(stack)?;
        // Else the measurement would compare a value with itself.
        ensure!(
            (shown == self.ours) == ours,
            "{} is in effect as {shown:?} after {} was asked for, and ours is {:?}",
            self.name,
            what(),
            self.ours
        );
        Ok(())
    }

    fn shown(&self, stack: &Stack) -> anyhow::Result<String> {
        match self.way {
            Way::Console => in_pooler(stack, &self.name, "value"),
            _ => in_postgres(stack, &self.name),
        }
    }

    fn try_turn(&self, stack: &mut Stack, ours: bool) -> anyhow::Result<()> {
        if let Way::Console = self.way {
            // The console takes no parameters; both values came from it or from the command line.
            let value = if ours { &self.ours } else { &self.told };
            let mut console = stack.console().connect()?;
            console.simple_query(&format!("set {} = '{value}'", self.name))?;
            // Connections of the old kind go when they are given back.
            console.simple_query("reconnect")?;
            return Ok(());
        }
        let mut superuser = stack.superuser().connect()?;
        let change = if ours {
            let reset = "select format('alter system reset %I', $1::text)";
            superuser.query_one(reset, &[&self.name])?
        } else {
            let set = "select format('alter system set %I = %L', $1::text, $2::text)";
            superuser.query_one(set, &[&self.name, &self.told])?
        };
        superuser.batch_execute(change.try_get(0)?)?;
        match self.way {
            Way::Restart => restart(stack),
            _ => reload(stack, &mut superuser),
        }
    }
}

/// What is in effect for the role that serves requests, where a setting of the role would win.
fn in_postgres(stack: &Stack, name: &str) -> anyhow::Result<String> {
    let mut client = stack.runtime(stack.postgres).connect()?;
    let row = client.query_one("select current_setting($1)", &[&name])?;
    Ok(row.try_get(0)?)
}

/// A column of PgBouncer's `show config`.
fn in_pooler(stack: &Stack, name: &str, column: &str) -> anyhow::Result<String> {
    let answer = stack.console().connect()?.simple_query("show config")?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) if row.get("key") == Some(name) => Some(row),
        _ => None,
    });
    let row = row.with_context(|| format!("PgBouncer has no setting {name}"))?;
    let value = row.try_get(column)?;
    Ok(value
        .context("PgBouncer shows less than it should")?
        .to_owned())
}

/// A number in PostgreSQL's units, as its manual writes it.
fn readable(value: &str, unit: &str) -> String {
    match (value.parse::<f64>(), unit) {
        (Ok(pages), "8kB") if pages >= 128.0 => format!("{}MB", pages / 128.0),
        (Ok(number), _) if number < 0.0 => value.to_owned(),
        _ => format!("{value}{unit}"),
    }
}

fn reload(stack: &Stack, superuser: &mut Client) -> anyhow::Result<()> {
    const READ_AT: &str = "select pg_conf_load_time()::text";
    let read_at = |client: &mut Client| -> anyhow::Result<String> {
        Ok(client.query_one(READ_AT, &[])?.try_get(0)?)
    };
    let before = read_at(&mut stack.superuser().connect()?)?;
    superuser.batch_execute("select pg_reload_conf()")?;
    // A new connection has what the postmaster read last, and the postmaster tells all others.
    wait("PostgreSQL does not read its files again", || {
        Ok(read_at(&mut stack.superuser().connect()?)? != before)
    })
}

/// Ends PostgreSQL; the stack starts it again.
pub(super) fn restart(stack: &mut Stack) -> anyhow::Result<()> {
    let started =
        "select clock_timestamp() - pg_postmaster_start_time() > $1::float8 * interval '1 s'";
    wait("PostgreSQL is too young to be restarted", || {
        let mut superuser = stack.superuser().connect()?;
        let row = superuser.query_one(started, &[&RESTART_EVERY.as_secs_f64()])?;
        Ok(row.try_get(0)?)
    })?;
    let old = stack.postgres.pid;
    kill(Pid::from_raw(i32::try_from(old)?), Signal::SIGINT)?;
    let file = stack.data.join("pg/postmaster.pid");
    wait("PostgreSQL does not come back", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let pid = text.lines().next().and_then(|line| line.parse().ok());
        let Some(new) = pid.filter(|pid| *pid != old) else {
            return Ok(false);
        };
        stack.postgres.pid = new;
        Ok(stack.superuser().connect().is_ok())
    })?;
    wait("the API does not come back", || {
        Ok(matches!(
            warrior_load::client::count(&stack.api),
            Ok(Some(_))
        ))
    })
}

fn wait(otherwise: &str, mut happened: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + SEEN_WITHIN;
    while !happened()? {
        if Instant::now() > deadline {
            bail!("{otherwise} within {} s", SEEN_WITHIN.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_as_people_write_them() {
        assert_eq!(readable("16384", "8kB"), "128MB");
        assert_eq!(readable("-1", "8kB"), "-1");
        assert_eq!(readable("1024", "MB"), "1024MB");
        assert_eq!(readable("60", "s"), "60s");
    }
}
