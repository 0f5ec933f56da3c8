//! Sizes that do not fit: a pooler with fewer connections than the server has workers, or clients.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use warrior_stack::DATABASE;
use warrior_stack::layout;

use super::clients;
use super::judge::Invariant;
use super::scene::Scene;

/// Clients at the same time.
const CROWD: usize = 200;
/// How often a session's setting is asked through the pooler.
const ASKED: u32 = 20;

/// B6: one connection to PostgreSQL for two hundred clients; then a pooler that lets hardly anybody in.
pub(super) fn one_connection(scene: &mut Scene) -> anyhow::Result<()> {
    // One connection to the console throughout: later ones may not be let in.
    let mut console = scene.cluster.console().connect()?;
    console.simple_query("set default_pool_size = 1")?;
    console.simple_query("reconnect")?;
    let strange = clients::crowd(&scene.target, CROWD, scene.seconds(3.0, 20.0));
    for (status, count) in strange {
        match status {
            Some(status) => scene.breach(
                Invariant::I5,
                format!("{count} creates of a crowd were answered {status}"),
            ),
            None => scene.breach(
                Invariant::I6,
                format!("{count} creates of a crowd had no answer"),
            ),
        }
    }
    console.simple_query("reload")?;
    scene.heals();
    console.simple_query("set max_client_conn = 2")?;
    console.simple_query(&format!("kill {DATABASE}"))?;
    console.simple_query(&format!("resume {DATABASE}"))?;
    thread::sleep(scene.seconds(2.0, 10.0));
    console.simple_query("reload")?;
    Ok(())
}

/// B7: two connections to PostgreSQL for fifty workers: no statement is missed, and no setting leaks.
pub(super) fn two_connections(scene: &mut Scene) -> anyhow::Result<()> {
    scene.console("set default_pool_size = 2")?;
    scene.console("reconnect")?;
    thread::sleep(scene.seconds(4.0, 120.0));
    let own = setting(&mut scene.cluster.runtime().connect()?)?;
    for _ in 0..ASKED {
        let seen = setting(&mut scene.pooled()?)?;
        scene.demand(seen == own, || {
            format!("statement_timeout is {seen} in the pool, {own} of the role")
        });
        thread::sleep(Duration::from_millis(20));
    }
    let log = layout::pooler_log(&scene.endpoints().data);
    for log in [log.with_file_name("postgresql.log"), log] {
        let text = fs::read_to_string(&log).with_context(|| log.display().to_string())?;
        let missed = text
            .lines()
            .find(|line| line.contains("prepared statement"));
        let missed = missed.map(str::to_owned);
        scene.demand(missed.is_none(), || missed.unwrap_or_default());
    }
    scene.console("reload")
}

fn setting(client: &mut postgres::Client) -> anyhow::Result<String> {
    let rows = client.simple_query("select current_setting('statement_timeout')")?;
    let row = rows.iter().find_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.context("no row")
}
