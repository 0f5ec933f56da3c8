//! PostgreSQL's own figures, on a direct connection as the monitor, or as whom there is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use postgres::error::SqlState;
use postgres::{Client, Row};

use super::super::evidence::{Database, Prepared, Seen, Table, Transaction};
use super::super::finding::Unseen;
use super::super::place::Place;
use super::not_let_in;
use crate::store::schema::{self, SchemaError};
use crate::store::{self, Inquiry};

const WHAT: &str = "PostgreSQL's settings, sessions and statistics";
const PENDING_LISTS: &str = "the pending lists of the search indexes";
const LOOK: &str = include_str!("../sql/look.sql");
const SERVER: &str = include_str!("../sql/server.sql");
const DATABASE: &str = include_str!("../sql/database.sql");
const TABLE: &str = include_str!("../sql/table.sql");
const PENDING: &str = include_str!("../sql/pending.sql");
const ACTIVITY: &str = include_str!("../sql/activity.sql");
const SLOTS: &str = include_str!("../sql/slots.sql");
const PREPARED: &str = include_str!("../sql/prepared.sql");

pub(super) fn ask(place: &Place) -> Seen<Database> {
    let login = place.monitor.as_ref().unwrap_or(&place.direct);
    let mut session = Inquiry::open_direct(login).map_err(|e| not_let_in(WHAT, login, &e))?;
    // The schema's own evidence tells of encoding and locale.
    if let Err(SchemaError::Pooled) = session.ask(schema::check_server) {
        let why = "this connection goes through a pooler; set POSTGRES_DIRECT_HOST and POSTGRES_DIRECT_PORT to PostgreSQL itself";
        return Err(Unseen::new(WHAT, why));
    }
    let questions = |session: &mut Inquiry| -> Result<Database, postgres::Error> {
        session.ask(|client| client.query_typed(LOOK, &[]).map(drop))?;
        let mut database = session.ask(server)?;
        session.ask(|client| of_database(client, &mut database))?;
        database.table =
            session.ask(|client| Ok(client.query_typed(TABLE, &[])?.first().map(table)))?;
        match session.ask(pending) {
            Ok(bytes) => database.pending_bytes = bytes,
            Err(unseen) => database.unseen.push(unseen),
        }
        let rows = session.ask(|client| client.query_typed(ACTIVITY, &[]))?;
        database.transactions = rows.iter().map(transaction).collect();
        let rows = session.ask(|client| client.query_typed(SLOTS, &[]))?;
        let slot = |row: &Row| {
            let kept: Option<String> = row.get("kept");
            (row.get("name"), kept.unwrap_or_default())
        };
        database.slots = rows.iter().map(slot).collect();
        let rows = session.ask(|client| client.query_typed(PREPARED, &[]))?;
        database.prepared = rows.iter().map(prepared).collect();
        Ok(database)
    };
    questions(&mut session).map_err(|e| Unseen::new(WHAT, store::chain(&e)))
}

fn server(client: &mut Client) -> Result<Database, postgres::Error> {
    let began = Instant::now();
    let row = &client.query_typed(SERVER, &[])?[0]; // no condition, so one row
    let took = began.elapsed().as_secs_f64();
    let here = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |now| now.as_secs_f64());
    Ok(Database {
        version: row.get("version"),
        // As if PostgreSQL had looked at its clock in the middle of the question.
        ahead: row.get::<_, f64>("clock") - (here - took / 2.0),
        took,
        sees_all: row.get("sees_all"),
        fsync: row.get("fsync"),
        full_page_writes: row.get("full_page_writes"),
        autovacuum: row.get("autovacuum"),
        shared_buffers: row.get("shared_buffers"),
        max_connections: row.get("max_connections"),
        reserved: row.get("reserved"),
        connections: row.get("connections"),
        ..Database::default()
    })
}

fn of_database(client: &mut Client, database: &mut Database) -> Result<(), postgres::Error> {
    for row in client.query_typed(DATABASE, &[])? {
        database.connection_limit = row.get("connection_limit");
        database.blocks_hit = row.get("hit");
        database.blocks_read = row.get("read");
        database.age = row.get("age");
        database.collation = (row.get("collation_recorded"), row.get("collation_actual"));
    }
    Ok(())
}

/// None without the schema's tables and functions, of which the schema's evidence tells.
fn pending(client: &mut Client) -> Seen<Option<i64>> {
    match client.query_typed(PENDING, &[]) {
        Ok(rows) => Ok(rows.first().map(|row| row.get(0))),
        Err(e) => match e.code() {
            Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_FUNCTION) => Ok(None),
            _ => Err(Unseen::new(PENDING_LISTS, store::chain(&e))),
        },
    }
}

fn prepared(row: &Row) -> Prepared {
    Prepared {
        gid: row.get("gid"),
        role: row.get("role"),
        age: row.get("age"),
    }
}

fn table(row: &Row) -> Table {
    Table {
        rows: row.get("rows"),
        live: row.get("live"),
        dead: row.get("dead"),
        changed: row.get("changed"),
        analyzed: row.get("analyzed"),
        autovacuum_off: row.get("autovacuum_off"),
    }
}

fn transaction(row: &Row) -> Transaction {
    Transaction {
        pid: row.get("pid"),
        role: row.get("role"),
        application: row.get("application"),
        idle: row.get("idle"),
        open: row.get("open"),
        since: row.get::<_, Option<f64>>("since").unwrap_or_default(),
        waits: row.get("waits"),
        blockers: row.get("blockers"),
        prepared: row.get("prepared"),
    }
}
