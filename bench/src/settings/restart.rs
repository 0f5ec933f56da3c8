//! Reload and restart of PostgreSQL.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::Client;
use warrior_load::client;
use warrior_load::stack::Stack;

use super::wait::wait;

/// The shortest time between two restarts: the supervisor of the stack takes a PostgreSQL that ends six
/// times in a minute for broken.
const RESTART_INTERVAL: Duration = Duration::from_secs(15);

/// Reloads the configuration, and returns when new sessions have it.
pub(super) fn reload(stack: &Stack, superuser: &mut Client) -> anyhow::Result<()> {
    const READ_AT: &str = "select pg_conf_load_time()::text";
    let read_at = |client: &mut Client| -> anyhow::Result<String> {
        Ok(client.query_one(READ_AT, &[])?.try_get(0)?)
    };
    let before = read_at(&mut stack.superuser().connect()?)?;
    superuser.batch_execute("select pg_reload_conf()")?;
    // A new connection has what the postmaster read last, and the postmaster signals all others.
    wait("PostgreSQL does not read its files again", || {
        Ok(read_at(&mut stack.superuser().connect()?)? != before)
    })
}

/// Ends PostgreSQL; the stack starts it again.
pub(super) fn restart(stack: &mut Stack) -> anyhow::Result<()> {
    let is_old_enough = include_str!("../sql/is_old_enough.sql");
    wait("PostgreSQL is too young to be restarted", || {
        let mut superuser = stack.superuser().connect()?;
        let row = superuser.query_one(is_old_enough, &[&RESTART_INTERVAL.as_secs_f64()])?;
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
        Ok(matches!(client::count(&stack.api), Ok(Some(_))))
    })
}
