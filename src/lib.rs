//! An HTTP API over PostgreSQL, or a DuckDB file, that keeps its promises under stress.
//!
//! # How a request flows
//!
//! ```text
//! socket -> http -> api -> dispatch (one bounded queue per lane) -> worker thread -> store -> r2d2
//!             ^                                                        |               -> PgBouncer
//!             +------------------- reply over a oneshot ---------------+               -> PostgreSQL
//! ```
//!
//! The front end is async and only waits; all that blocks happens on a bounded number of plain threads. Admission
//! control at the door of a lane sheds the load that cannot be served in time.
//!
//! Natural batching: a worker that becomes free takes all that waits in its lane and executes it as one
//! statement in one transaction, so the batch grows only as the load grows. Searches wait for each other less:
//! a few different ones share a statement, equal ones share an answer.
//!
//! A batch is run in three steps. *Connect*: a live connection is in hand, and nothing was sent. *Claim*: the requests
//! that are still wanted go from queued to sent. *Run*: one reply for each, or one error with a class that says what is
//! certain. The store never calls back into the lane.
//!
//! # Three answers to a write
//!
//! `201`: the row is committed and readable, as it was sent. `503`: this attempt certainly stored nothing, and may be
//! repeated. `504`: unknown, or stored otherwise than it was sent by a trigger of others; the body carries what settles
//! it. There is no fourth.
//!
//! # Invariants
//!
//! - No blocking call on an async thread, but for a pause of a millisecond where it is the only one and has refused
//!   requests; no rendering of rows.
//! - No `postgres::Client` is used or dropped on one: it owns a runtime and blocks on it.
//! - Every queue is bounded, in requests and in bytes; so are answers, from the first row read to the last byte taken.
//! - Every wait for the database is bounded, but for those of schema commands (`up` applies the schema, too): building
//!   an index takes as long as it takes.
//! - A write is acknowledged only when the server is ready for the next statement after it, and has not said
//!   that its wait for a synchronous standby was cancelled.
//! - A job answered `503` is never sent; a job is sent only with a live connection in hand.
//! - A database that is known to be out is asked by one login at a time; no batch is sent until it has answered.
//! - No session state in SQL: the pooler may hand the next transaction to another server.
//! - No SQL is built from strings; statements stand in `.sql` files. A batch on the plain schema repeats the row of
//!   parameters in its file (`store/postgres/plain/insert.rs`). Away from requests, `migrate` makes statements
//!   for a DuckDB file of the names in its catalog, quoted, of types from a list, and of literals, quoted; `store::schema`
//!   drops functions by the signatures that PostgreSQL's catalog gives.
//! - One place maps errors to status codes ([`api::Problem`]), one maps database errors to classes
//!   ([`store::Class`]), one names SQLSTATEs (`store/sqlstate.rs`).
//! - A number that must agree across files is asserted by a test.
//!
//! # Code map, in reading order
//!
//! - [`warrior`]: the domain types; parsing is validation. A leaf.
//! - [`config`]: the only reader of the environment; one file for each concern.
//! - `throttle`: rate limiting of log lines that repeat. A leaf.
//! - [`histogram`]: histograms without a lock, for metrics and figures. A leaf.
//! - [`memory`]: the shares of the process's memory. A leaf.
//! - [`budget`]: bytes of requests that wait and of answers on their way; an excess is refused. A leaf.
//! - `quoting`: names and words as SQL and a shell read them. A leaf.
//! - [`serve`]: wiring, and the graceful drain.
//! - `idempotency_secret`: the secret behind idempotency keys, read from the database where none is configured.
//! - [`http`]: sockets, limits, timeouts, keep-alive, drain. Of warriors and of the API it knows nothing.
//! - [`api`]: requests as one closed enum, outcomes as responses. Pure but for the lanes it asks.
//! - [`dispatch`]: lanes with bounded queues, admission control, workers, job states, outages and the circuit breaker.
//! - `executors`: statements and rendering of each lane's batches: the one link between lanes, store and API.
//! - [`store`]: the trait of a database and its classes of failures; for PostgreSQL sessions and their SQL, the pool,
//!   group flush, and the schema; for a DuckDB file transactions, and the thread that keeps deadlines.
//! - `migrate`: the way over from a DuckDB file, beside the path of a request (feature `duckdb`).
//! - [`ops`]: admin listener, metrics, figures, logs, and the doctor.
//!
//! The embedded PostgreSQL and PgBouncer, and the sizes that must agree with them, are the crate `warrior_stack`.
//! Imports point one way, and in no circle: a module imports others that stand in a line below its own.
//!
//! ```text
//! serve
//! executors, idempotency_secret, migrate, ops
//! api
//! dispatch
//! http, store
//! warrior, config, throttle, histogram, memory, budget
//! quoting
//! ```
//!
//! A call against this direction goes through a function or an executor that is given: `http` gets the one that
//! answers, `dispatch` the executors that know the store's statements and the API's rendering.

pub mod warrior;

pub mod config;

mod throttle;

pub mod histogram;

pub mod memory;

pub mod budget;

mod quoting;

pub mod serve;

mod idempotency_secret;

pub mod http;

pub mod api;

pub mod dispatch;

mod executors;

pub mod store;

#[cfg(feature = "duckdb")]
pub mod migrate;

pub mod ops;
