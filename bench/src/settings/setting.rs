//! One setting of a running stack, and how another value is applied.

use anyhow::{Context, bail, ensure};
use postgres::SimpleQueryMessage;

use super::listed::{NAMES, Program, RequestedSetting};
use super::restart::{reload, restart};
use warrior_load::stack::Stack;

/// A setting, its two values as its program shows them, and how another value is applied.
pub(super) struct Setting {
    name: String,
    pub(super) default: String,
    pub(super) ours: String,
    /// The other value as it is requested, in the unit of the program.
    requested: String,
    method: ApplyMethod,
}

/// The way a new value comes into effect.
enum ApplyMethod {
    /// PostgreSQL reads its files again.
    Reload,
    /// PostgreSQL has to be started again; the stack does it.
    Restart,
    /// PgBouncer's console, and new connections to PostgreSQL.
    Console,
    /// PgBouncer's console, and new connections on both sides: the server asks at once whether names are kept.
    ConsoleAnew,
}

impl Setting {
    /// Asks the program that has it, and shows that the other value comes into effect where no restart is needed.
    pub(super) fn find(stack: &mut Stack, requested: &RequestedSetting) -> anyhow::Result<Setting> {
        let (name, instead) = (requested.name.as_str(), requested.instead.as_deref());
        let program = match requested.program {
            Some(program) => program,
            None => program_of(stack, name)?,
        };
        let setting = match program {
            Program::Postgres => Setting::of_postgres(stack, name, instead)?,
            Program::Pooler => Setting::of_pooler(stack, name, instead)?,
        };
        if !matches!(setting.method, ApplyMethod::Restart) {
            setting.apply(stack, false)?;
            setting.apply(stack, true)?;
        }
        Ok(setting)
    }

    fn of_postgres(stack: &Stack, name: &str, instead: Option<&str>) -> anyhow::Result<Setting> {
        let row = stack
            .superuser()
            .connect()?
            .query_opt(include_str!("../sql/setting.sql"), &[&name])?
            .with_context(|| format!("PostgreSQL has no setting {name}"))?;
        let context: String = row.try_get("context")?;
        let default: String = row.try_get("default_value")?;
        let unit: Option<String> = row.try_get("unit")?;
        Ok(Setting {
            name: name.to_owned(),
            default: match (instead, unit) {
                (Some(value), _) => value.to_owned(),
                (None, Some(unit)) => readable(&default, &unit),
                (None, None) => default.clone(),
            },
            ours: in_postgres(stack, name)?,
            requested: instead.map_or(default, str::to_owned),
            method: if context == "postmaster" {
                ApplyMethod::Restart
            } else {
                ApplyMethod::Reload
            },
        })
    }

    fn of_pooler(stack: &Stack, name: &str, instead: Option<&str>) -> anyhow::Result<Setting> {
        ensure!(
            in_pooler(stack, name, "changeable")? == "yes",
            "PgBouncer has to be started again for another {name}; only what its console changes can be compared"
        );
        let default = match instead {
            Some(value) => value.to_owned(),
            None => in_pooler(stack, name, "default")?,
        };
        Ok(Setting {
            name: name.to_owned(),
            requested: default.clone(),
            default,
            ours: in_pooler(stack, name, "value")?,
            method: if name == NAMES {
                ApplyMethod::ConsoleAnew
            } else {
                ApplyMethod::Console
            },
        })
    }

    /// Whether the server names its statements with the default or our value; none where the setting is another.
    pub(super) fn names_statements(&self, ours: bool) -> Option<bool> {
        let value = if ours { &self.ours } else { &self.requested };
        (self.name == NAMES).then(|| value != "0")
    }

    /// Applies the default or our value, and returns when that is in effect.
    pub(super) fn apply(&self, stack: &mut Stack, ours: bool) -> anyhow::Result<()> {
        let value = if ours { &self.ours } else { &self.requested };
        let what = || format!("{} = {value}", self.name);
        if (self.shown(stack)? == self.ours) == ours {
            return Ok(());
        }
        self.try_apply(stack, ours).with_context(what)?;
        let shown = self.shown(stack)?;
        // Otherwise the measurement would compare a value with itself.
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
        match self.method {
            ApplyMethod::Console | ApplyMethod::ConsoleAnew => {
                in_pooler(stack, &self.name, "value")
            }
            _ => in_postgres(stack, &self.name),
        }
    }

    fn try_apply(&self, stack: &mut Stack, ours: bool) -> anyhow::Result<()> {
        let mut superuser = stack.superuser().connect()?;
        if let ApplyMethod::Console | ApplyMethod::ConsoleAnew = self.method {
            let value = if ours { &self.ours } else { &self.requested };
            let set = include_str!("../sql/set_in_pooler.sql");
            let change = superuser.query_one(set, &[&self.name, value])?;
            let mut console = stack.console().connect()?;
            console.simple_query(change.try_get(0)?)?;
            if let ApplyMethod::ConsoleAnew = self.method {
                let drop = include_str!("../sql/drop_in_pooler.sql");
                let statements = superuser.query_one(drop, &[])?;
                console.simple_query(statements.try_get("kill")?)?;
                console.simple_query(statements.try_get("resume")?)?;
            } else {
                // Connections of the old kind go when they are given back.
                console.simple_query("reconnect")?;
            }
            return Ok(());
        }
        let change = if ours {
            superuser.query_one(include_str!("../sql/reset_setting.sql"), &[&self.name])?
        } else {
            let set = include_str!("../sql/set_setting.sql");
            superuser.query_one(set, &[&self.name, &self.requested])?
        };
        superuser.batch_execute(change.try_get(0)?)?;
        match self.method {
            ApplyMethod::Restart => restart(stack),
            _ => reload(stack, &mut superuser),
        }
    }
}

/// The value in effect for the role that serves requests, where a setting of the role would win.
fn in_postgres(stack: &Stack, name: &str) -> anyhow::Result<String> {
    let mut client = stack.runtime(stack.postgres).connect()?;
    let row = client.query_one(include_str!("../sql/value.sql"), &[&name])?;
    Ok(row.try_get(0)?)
}

/// The program that has a setting of this name.
fn program_of(stack: &Stack, name: &str) -> anyhow::Result<Program> {
    let row = stack
        .superuser()
        .connect()?
        .query_opt(include_str!("../sql/setting.sql"), &[&name])?;
    match (
        row.is_some(),
        row_of_pooler(stack, name, "value")?.is_some(),
    ) {
        (true, false) => Ok(Program::Postgres),
        (false, true) => Ok(Program::Pooler),
        (true, true) => bail!(
            "PostgreSQL and PgBouncer both have a setting {name}: ask for postgresql.{name} or pgbouncer.{name}"
        ),
        (false, false) => bail!("neither PostgreSQL nor PgBouncer has a setting {name}"),
    }
}

/// A column of PgBouncer's `show config`.
fn in_pooler(stack: &Stack, name: &str, column: &str) -> anyhow::Result<String> {
    row_of_pooler(stack, name, column)?.with_context(|| format!("PgBouncer has no setting {name}"))
}

/// The same, where PgBouncer has such a setting.
fn row_of_pooler(stack: &Stack, name: &str, column: &str) -> anyhow::Result<Option<String>> {
    let answer = stack.console().connect()?.simple_query("show config")?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) if row.get("key") == Some(name) => Some(row),
        _ => None,
    });
    let Some(row) = row else { return Ok(None) };
    // Some defaults are shown as nothing.
    Ok(Some(row.try_get(column)?.unwrap_or_default().to_owned()))
}

/// A number in PostgreSQL's units, as its manual writes it.
fn readable(value: &str, unit: &str) -> String {
    match (value.parse::<f64>(), unit) {
        (Ok(pages), "8kB") if pages >= 128.0 => format!("{}MB", pages / 128.0),
        (Ok(number), _) if number < 0.0 => value.to_owned(),
        _ => format!("{value}{unit}"),
    }
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
