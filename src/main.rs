//! The command line and the wiring, nothing else.

use std::io::Write;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;
use tracing::Level;
use warrior_api::config::{
    self, Cli, Command, Database, Embedded, LogFormat, SchemaAction, SchemaArgs, ServeArgs, Server,
    UpArgs,
};
use warrior_api::ops::{self, LogGuard};
use warrior_api::serve::{self, Running};
use warrior_api::store::{Look, connect_direct, pooler_shortcomings, schema};
use warrior_stack::announcement::{self, Announcement};
use warrior_stack::{self as stack, DATABASE, StackError, Stop, descriptors, signals};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long the workers get to finish once nobody waits for them any more.
const WORKERS_TIMEOUT: Duration = Duration::from_secs(1);
/// How often work on another thread is asked whether it is done.
const POLL: Duration = Duration::from_millis(10);

fn main() -> ExitCode {
    let (format, outcome) = match config::load() {
        Ok(cli) => (cli.log_format, run(&cli)),
        Err(e) => (LogFormat::Text, Err(e.into())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            ops::say(format, Level::ERROR, &format!("warrior-api: {e:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let format = cli.log_format;
    let say = move |line: &str| ops::say(format, Level::INFO, line);
    let warn = |line: &str| ops::say(format, Level::WARN, line);
    cli.notes().iter().for_each(|note| warn(note));
    let logs = || ops::start_logs(cli.log_format, &cli.log_level);
    match &cli.command {
        Command::Up(args) => {
            let mut server = args.server()?;
            let embedded = unprivileged(args.embedded(), &say)?;
            let guard = logs()?;
            // Before the stack starts: PgBouncer inherits the limit.
            server.sizes.connections_max = descriptors::raise_for(&server.sizes);
            up(args, &embedded, &server, guard, say, &warn)
        }
        Command::Serve(args) => {
            let _guard = logs()?;
            serve_existing(args, &say, &warn)
        }
        Command::Stack(args) => {
            let mut sizes = args.sizes()?;
            sizes.connections_max = descriptors::raise_for(&sizes);
            Ok(stack::supervise(
                &unprivileged(args.embedded(), &say)?,
                &sizes,
            )?)
        }
        Command::Schema(args) => schema_command(args, &say),
        Command::Health(args) => {
            let path = if args.live { "/live" } else { "/ready" };
            let text = ops::ask_health(args.admin(), path)?;
            Ok(writeln!(std::io::stdout(), "{text}")?)
        }
    }
}

/// Leaves root, which must happen before any thread exists.
fn unprivileged(mut embedded: Embedded, say: &dyn Fn(&str)) -> anyhow::Result<Embedded> {
    if let Some(left) = stack::leave_root(&embedded)? {
        left.moved.iter().for_each(|sentence| say(sentence));
        embedded.data = left.data;
    }
    Ok(embedded)
}

/// Starts everything, and at the end stops all in order: the server, PgBouncer, PostgreSQL.
fn up(
    args: &UpArgs,
    embedded: &Embedded,
    server: &Server,
    _logs: LogGuard,
    say: impl Fn(&str) + Copy + Send + 'static,
    warn: &dyn Fn(&str),
) -> anyhow::Result<()> {
    // First of all, so that a stop during the start is not lost and leaves nothing behind.
    let stop = stop_on_signal()?;
    if args.until_stdin_ends {
        let ended = stop.clone();
        signals::on_input_end(move || ended.ask())?;
    }
    let runtime = runtime()?;
    let mut stack = match stack::start(embedded, &server.sizes, &mut |step| say(step), &stop) {
        Err(StackError::Interrupted) => {
            say("stopped");
            return Ok(());
        }
        started => started?,
    };
    let owner = stack.owner();
    let applied = unless_stopped(&stop, move || apply_schema(&owner, &say))?;
    if applied.transpose()?.is_none() {
        // What was not done yet is for the next start; PostgreSQL cuts the statement off.
        say("stopping: PgBouncer, then PostgreSQL; the next start goes on with the schema");
        stack.stop()?;
        say("stopped");
        return Ok(());
    }
    let secret = stack.idempotency_secret().read()?;
    let running = runtime.block_on(serve::start(server, &stack.runtime(), &secret))?;
    if args.until_stdin_ends {
        announcement::print(&Announcement {
            http: running.public,
            admin: running.admin,
            running: stack.endpoints(),
        })?;
    }
    let (console, connections) = (stack.pooler_statistics(), server.sizes.pool());
    let look = move || pooler_shortcomings(&console, DATABASE, connections);
    let found = unless_stopped(&stop, look)?.unwrap_or_default();
    found.iter().for_each(|line| warn(line));
    introduce(&running, &say);
    let outcome = stack.keep_running(&stop);
    say("stopping: finishing open requests, then PgBouncer, then PostgreSQL");
    runtime.block_on(running.stop()).join(WORKERS_TIMEOUT);
    let stopped = stack.stop();
    say("stopped");
    // What ended the run explains what came after it.
    Ok(outcome.and(stopped)?)
}

fn apply_schema(owner: &Database, say: &dyn Fn(&str)) -> anyhow::Result<()> {
    let mut owner = connect_direct(owner).context("the schema's owner cannot log in")?;
    schema::apply(&mut owner, &mut |step| say(&step))?;
    Ok(())
}

/// What `work` gives on a thread of its own, or nothing after a stop, which does not wait for it.
fn unless_stopped<T: Send + 'static>(
    stop: &Stop,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<Option<T>> {
    let work = thread::Builder::new()
        .name("start".to_owned())
        .spawn(work)
        .context("the system refuses a thread")?;
    while !work.is_finished() {
        if stop.wait_within(POLL) {
            return Ok(None);
        }
    }
    match work.join() {
        Ok(done) => Ok(Some(done)),
        Err(panic) => resume_unwind(panic),
    }
}

fn serve_existing(args: &ServeArgs, say: &dyn Fn(&str), warn: &dyn Fn(&str)) -> anyhow::Result<()> {
    let (secret, database) = (args.idempotency_secret()?, args.database()?);
    let mut server = args.server()?;
    server.sizes.connections_max = descriptors::raise_for(&server.sizes);
    let (stop, runtime) = (stop_on_signal()?, runtime()?);
    let look = Look::begin(&database, server.sizes.pool());
    let running = runtime.block_on(serve::start(&server, &database, secret.as_ref()))?;
    look.end().iter().for_each(|line| warn(line));
    introduce(&running, say);
    stop.wait();
    say("stopping: finishing open requests");
    runtime.block_on(running.stop()).join(WORKERS_TIMEOUT);
    say("stopped");
    Ok(())
}

fn schema_command(args: &SchemaArgs, say: &dyn Fn(&str)) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.action == SchemaAction::Print {
        return Ok(out.write_all(schema::print().as_bytes())?);
    }
    let mut owner = connect_direct(&args.owner()?).context(
        "schema commands log in directly, with POSTGRES_DIRECT_HOST, POSTGRES_DIRECT_PORT, POSTGRES_OWNER \
         and POSTGRES_OWNER_PASSWORD(_FILE)",
    )?;
    match args.action {
        SchemaAction::Apply => {
            writeln!(
                out,
                "{}",
                schema::apply_for(&mut owner, args.runtime_role(), &mut |step| say(&step))?
            )?;
        }
        SchemaAction::Status => {
            let status = schema::status_for(&mut owner, args.runtime_role())?;
            writeln!(out, "{status}")?;
            anyhow::ensure!(status.pending.is_empty(), "the schema is not current");
            anyhow::ensure!(
                status.faults.is_empty(),
                "the schema is current, and not in order"
            );
        }
        SchemaAction::Recount => {
            let recounted = schema::recount(&mut owner, &mut |step| say(&step))?;
            writeln!(out, "{recounted}")?;
        }
        SchemaAction::Print => {}
    }
    Ok(())
}

fn stop_on_signal() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let asked = stop.clone();
    signals::on_signal(move || asked.ask()).context("signals cannot be handled")?;
    Ok(stop)
}

fn runtime() -> anyhow::Result<Runtime> {
    Runtime::new().context("the async runtime cannot be started")
}

fn introduce(running: &Running, say: &dyn Fn(&str)) {
    say(&format!(
        "serving http://{} (admin: http://{}/ready); Ctrl-C stops",
        running.public, running.admin
    ));
}
