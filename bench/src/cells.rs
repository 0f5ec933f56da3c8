//! Which measurements a bench is made of.

use std::sync::Arc;

use hyper::Uri;

use super::cpu::Processes;
use super::http::{HttpLoad, Request, WARMUP};
use super::pgbench::{BATCH, Bench, CLIENTS, CLIENTS_UNTRIED, Script};
use super::sample::{Series, Unit};
use super::{Part, Rig};
use warrior_load::output::say;
use warrior_load::stress::Stack;
use warrior_load::target::Target;
use warrior_load::workload::Kind;

pub(super) const CREATE: &str = "create";
pub(super) const FIND: &str = "find";
pub(super) const COUNT: &str = "count";
pub(super) const SEARCH: &str = "search";

/// One thing that is measured once a round.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) work: String,
    pub(super) by: String,
    pub(super) unit: Unit,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Requests.
    Http(Box<Request>),
    /// The same after the table of the second stack was emptied.
    Emptied(Box<Action>),
    /// The database alone.
    Pgbench { bench: Bench, clients: u32 },
    /// Creates that are measured, and searches that go on meanwhile.
    Beside {
        create: Box<Request>,
        search: Box<Request>,
    },
}

pub(super) fn server(connections: usize) -> String {
    format!("server, {connections} connections")
}

pub(super) fn hello(connections: usize) -> String {
    format!("hello, {connections} connections")
}

pub(super) fn empty(connections: usize) -> String {
    format!("server, {connections} connections, empty table")
}

pub(super) fn pgbench(script: Script, size: u32, pooled: bool) -> String {
    let bench = Bench {
        script,
        size,
        pooled,
    };
    bench.name()
}

/// The same with one client, for its latency.
pub(super) fn pgbench_alone(script: Script) -> String {
    format!("{}, 1 client", pgbench(script, 1, true))
}

impl Cell {
    pub(super) fn series(&self) -> Series {
        Series {
            work: self.work.clone(),
            by: self.by.clone(),
            unit: self.unit,
            samples: Vec::new(),
        }
    }
}

impl Rig<'_> {
    /// All cells of the parts that were asked for, but classes and mixed ones.
    pub(super) fn cells(&mut self) -> anyhow::Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for part in self.options.only.clone() {
            let (work, kind) = match part {
                Part::Create => (CREATE, Kind::CreateValid),
                Part::Find => (FIND, Kind::OneOf(Arc::clone(&self.known))),
                Part::Count => (COUNT, Kind::Count),
                Part::Search => (SEARCH, Kind::Search),
                Part::Classes | Part::Mixed => continue,
            };
            for connections in self.options.connections.clone() {
                let action = self.to_server(kind.clone(), connections);
                cells.push(cell(work, server(connections), action));
                if matches!(part, Part::Find | Part::Count) {
                    let action = Action::Http(Box::new(self.to_hello(part, connections)));
                    cells.push(cell(work, hello(connections), action));
                }
            }
            if let (Part::Create | Part::Count, Some(stack)) = (part, self.empty) {
                let connections = self.crowd();
                let request = self.request(stack, kind, connections);
                let action = Action::Emptied(Box::new(Action::Http(Box::new(request))));
                cells.push(cell(work, empty(connections), action));
            }
            match part {
                Part::Create => cells.extend(self.database_cells(work, Script::Create)?),
                Part::Find => cells.extend(self.database_cells(work, Script::Find)?),
                _ => {}
            }
        }
        Ok(cells)
    }

    pub(super) fn to_server(&self, kind: Kind, connections: usize) -> Action {
        Action::Http(Box::new(self.request(self.stack, kind, connections)))
    }

    pub(super) fn request(&self, stack: &Stack, kind: Kind, connections: usize) -> Request {
        Request {
            kind,
            target: stack.api.clone(),
            processes: Processes::of_stack(stack),
            load: HttpLoad::Connections(connections),
            threads: self.options.threads,
            length: self.length(),
            warmup: WARMUP,
            seed: 0,
        }
    }

    /// Requests that cost the generator what those to the server cost it.
    fn to_hello(&self, part: Part, connections: usize) -> Request {
        let (hello, kind) = match part {
            Part::Find => (&self.hello_find, Kind::OneOf(Arc::clone(&self.known))),
            _ => (
                &self.hello_count,
                Kind::OneOf(count_uri(&self.hello_count.target)),
            ),
        };
        Request {
            kind,
            target: hello.target.clone(),
            processes: Processes::alone(hello.pid()),
            ..self.request(self.stack, Kind::Count, connections)
        }
    }

    /// pgbench in batches and one by one, directly and through PgBouncer, each with the number of
    /// clients that is best for it; and for creates, into a bare table.
    fn database_cells(&mut self, work: &str, script: Script) -> anyhow::Result<Vec<Cell>> {
        let mut benches = Vec::new();
        for size in [BATCH, 1] {
            for pooled in [false, true] {
                benches.push(Bench {
                    script,
                    size,
                    pooled,
                });
            }
        }
        if script == Script::Create {
            benches.push(Bench {
                script: Script::CreateBare,
                size: BATCH,
                pooled: false,
            });
        }
        let mut cells = Vec::new();
        for bench in benches {
            let clients = self.best_clients(bench)?;
            cells.push(database_cell(work, bench.name(), bench, clients));
        }
        let alone = Bench {
            script,
            size: 1,
            pooled: true,
        };
        cells.push(database_cell(work, pgbench_alone(script), alone, 1));
        Ok(cells)
    }

    /// Tries each number of clients for a second. A single round is not worth it.
    fn best_clients(&mut self, bench: Bench) -> anyhow::Result<u32> {
        if self.options.rounds == 1 {
            return Ok(CLIENTS_UNTRIED);
        }
        let mut best = (0.0, CLIENTS[0]);
        for clients in CLIENTS {
            let Some(pgbench) = &mut self.pgbench else {
                anyhow::bail!("pgbench was not prepared")
            };
            let rate = pgbench.run(bench, clients, 1)?.rate;
            if rate > best.0 {
                best = (rate, clients);
            }
        }
        say(format_args!(
            "  {} is best with {} of {CLIENTS:?} clients: {:.0} rows/s",
            bench.name(),
            best.1,
            best.0
        ));
        Ok(best.1)
    }
}

pub(super) fn cell(work: &str, by: String, action: Action) -> Cell {
    Cell {
        work: work.to_owned(),
        by,
        unit: Unit::Requests,
        action,
    }
}

fn database_cell(work: &str, by: String, bench: Bench, clients: u32) -> Cell {
    Cell {
        unit: Unit::Rows,
        ..cell(work, by, Action::Pgbench { bench, clients })
    }
}

fn count_uri(target: &Target) -> Arc<[Uri]> {
    target.uri("/counting-warriors").into_iter().collect()
}
