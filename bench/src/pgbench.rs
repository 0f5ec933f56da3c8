//! The reference for the database alone: pgbench running the server's own statements in batches of 50, directly and
//! through PgBouncer, and one by one; and those that PostgREST makes.

mod script;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use postgres::Client;

pub(crate) use script::{BATCH, Job, Script};

use self::script::{BATCHES, LOOKUPS, ROWS};

use crate::cpu::{Meter, Processes};
use crate::fill::{Contents, array, row};
use crate::flush;
use crate::sample::Sample;
use crate::table;
use warrior_load::machine::newest_postgres_program;
use warrior_load::schedule::stream;
use warrior_load::stack::{Instance, Stack, Version};
use warrior_load::workload::search_term;

/// The number of clients when they are not tried.
pub(crate) const CLIENTS_UNTRIED: u32 = 4;

/// The stack has PgBouncer keep prepared statements since this version.
const POOLER_PREPARES: Version = Version {
    major: 1,
    minor: 21,
};

/// More than any machine inserts, so that ids do not run out; that they did not is checked.
const ROWS_PER_SECOND_MAX: u32 = 400_000;
/// The same, one by one.
const SINGLES_PER_SECOND_MAX: u32 = 40_000;

/// Whether PgBouncer keeps prepared statements.
pub(crate) fn pooler_prepares(stack: &Stack) -> bool {
    stack.pooler.version >= POOLER_PREPARES
}

/// pgbench against one stack.
pub(crate) struct Pgbench<'s> {
    stack: &'s Stack,
    program: PathBuf,
    password: String,
    scratch: PathBuf,
    /// Ids that no run has used yet.
    next_id: u64,
}

impl<'s> Pgbench<'s> {
    /// Finds the program and makes what its scripts read.
    pub(crate) fn prepare(stack: &'s Stack) -> anyhow::Result<Pgbench<'s>> {
        let program = newest_postgres_program("pgbench")?;
        let scratch = std::env::temp_dir().join(format!("warrior-bench-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
        let pgbench = Pgbench {
            stack,
            program,
            password: fs::read_to_string(stack.data.join("secrets/warrior.password"))
                .context("cannot read the password of the role warrior")?,
            scratch,
            next_id: 0,
        };
        let mut owner = stack.owner().connect()?;
        owner.batch_execute(include_str!("sql/references.sql"))?;
        fill_rows(&mut owner)?;
        for size in [1, BATCH as i32] {
            owner.execute(include_str!("sql/wanted.sql"), &[&size, &LOOKUPS])?;
        }
        owner.batch_execute("analyze")?;
        Ok(pgbench)
    }

    /// How PgBouncer's version lets statements be sent.
    pub(crate) fn mode(&self, pooled: bool) -> &'static str {
        if pooled && !pooler_prepares(self.stack) {
            "extended"
        } else {
            "prepared"
        }
    }

    /// Runs it with so many clients for so many seconds.
    ///
    /// # Errors
    /// When pgbench fails, or when not every row that it should insert is there afterwards.
    pub(crate) fn run(&mut self, job: Job, clients: u32, seconds: u32) -> anyhow::Result<Sample> {
        let mut owner = self.stack.owner().connect()?;
        let per_client = self.new_ids(&mut owner, job, clients, seconds)?;
        let script = self.scratch.join("script.sql");
        fs::write(&script, job.text(per_client)?)?;
        let before = job.rows(&mut owner)?;
        let meter = Meter::start(Processes::of_stack(self.stack));
        let mut command = self.command(job, clients, seconds, &script);
        let output = match job.script.creates() {
            true => flush::beside(self.stack, || command.output())?,
            false => command.output(),
        };
        let used = meter.stop();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        let output_text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "pgbench failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let rate = figure(&output_text, "tps = ").context("pgbench printed no rate")?;
        let done = figure(&output_text, "number of transactions actually processed: ")
            .context("pgbench printed no number of transactions")? as u64;
        let rows = done * u64::from(job.size);
        if let (Some(before), Some(after)) = (before, job.rows(&mut owner)?) {
            ensure!(
                after - before == rows as i64,
                "pgbench says that it inserted {rows} rows, and {} are there",
                after - before
            );
        }
        let latency = self.latencies()?;
        let mut sample = Sample {
            rate: rate * f64::from(job.size),
            p50_us: latency.value_at_quantile(0.5) as f64,
            p99_us: latency.value_at_quantile(0.99) as f64,
            max_us: latency.max() as f64,
            done: rows,
            ..Sample::default()
        };
        used.note(&mut sample, rows);
        Ok(sample)
    }

    fn command(&self, job: Job, clients: u32, seconds: u32, script: &Path) -> Command {
        let through = self.through(job.pooled);
        let mut command = Command::new(&self.program);
        command
            .args(["-n", "-M", self.mode(job.pooled)])
            .args([
                "-c",
                &clients.to_string(),
                "-j",
                &clients.min(2).to_string(),
            ])
            // Counts the batches of each client; see `Job::text`.
            .args(["-D", "i=0"])
            .args(["-T", &seconds.to_string(), "-f"])
            .arg(script)
            .args(["-l", "--log-prefix"])
            .arg(self.scratch.join("log"))
            .args(["-h", "127.0.0.1", "-p", &through.port.to_string()])
            .args(["-U", "warrior", "warrior_api"])
            .env("PGPASSWORD", self.password.trim())
            // PgBouncer refuses it.
            .env_remove("PGOPTIONS");
        command
    }

    fn through(&self, pooled: bool) -> Instance {
        if pooled {
            self.stack.pooler
        } else {
            self.stack.postgres
        }
    }

    /// Makes ids for a run, and gives how many batches each client may take of them.
    fn new_ids(
        &mut self,
        owner: &mut Client,
        job: Job,
        clients: u32,
        seconds: u32,
    ) -> anyhow::Result<u32> {
        if !job.script.takes_ids() {
            return Ok(0);
        }
        let per_second = match (job.size, job.script) {
            (1, _) => SINGLES_PER_SECOND_MAX,
            (size, Script::CreateBare) => ROWS_PER_SECOND_MAX / size,
            (size, _) => ROWS_PER_SECOND_MAX / 4 / size,
        };
        let per_client = per_second * (seconds + 1) / clients;
        owner.batch_execute("truncate bench.new_ids, bench.warrior")?;
        let mut writer = owner.copy_in("copy bench.new_ids (size, n, ids) from stdin")?;
        let now = chrono::Utc::now().timestamp_millis() as u64;
        for n in 0..per_client * clients {
            let ids: Vec<String> = (0..job.size)
                .map(|_| self.new_id(now).to_string())
                .collect();
            writeln!(writer, "{}\t{n}\t{{{}}}", job.size, ids.join(","))?;
        }
        writer.finish()?;
        owner.batch_execute("analyze bench.new_ids")?;
        table::flush(self.stack)?;
        Ok(per_client)
    }

    /// Version 7, as the server makes them: ordered by time, different each time.
    fn new_id(&mut self, now: u64) -> uuid::Uuid {
        self.next_id += 1;
        let mut tail = [0; 10];
        tail[2..].copy_from_slice(&self.next_id.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(now, &tail).into_uuid()
    }

    /// Reads and removes the latency of each transaction.
    fn latencies(&self) -> anyhow::Result<Histogram<u64>> {
        let mut latencies = Histogram::new(3).context("three digits are valid")?;
        for entry in fs::read_dir(&self.scratch)?.flatten() {
            if !entry.file_name().to_string_lossy().starts_with("log") {
                continue;
            }
            for line in fs::read_to_string(entry.path())?.lines() {
                // client, transaction, microseconds, ...
                let micros = line.split(' ').nth(2).and_then(|word| word.parse().ok());
                latencies.record(micros.context("pgbench's log has another form")?)?;
            }
            fs::remove_file(entry.path())?;
        }
        ensure!(!latencies.is_empty(), "pgbench completed no transaction");
        Ok(latencies)
    }
}

impl Drop for Pgbench<'_> {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.scratch).ok();
    }
}

/// Draws the terms that pgbench searches for.
const TERMS_SEED: u64 = 0x7465_726d;

/// The rows that pgbench inserts, which are the workload's and others than those in the table; and its terms.
fn fill_rows(owner: &mut Client) -> anyhow::Result<()> {
    owner.batch_execute(
        "create temporary table source (n bigint, name text, dob text, skills text)",
    )?;
    let mut writer = owner.copy_in("copy source from stdin")?;
    for n in 0..ROWS {
        let row = row(u64::MAX / 2 + n, Contents::Laboratory);
        writeln!(
            writer,
            "{n}\t{}\t{}\t{}",
            row.name,
            row.dob,
            array(&row.skills)
        )?;
    }
    writer.finish()?;
    for size in [1, BATCH] {
        let (size, batches) = (i64::from(size), BATCHES as i64);
        owner.execute(include_str!("sql/new_names.sql"), &[&size, &batches])?;
        owner.execute(include_str!("sql/new_skills.sql"), &[&size, &batches])?;
    }
    owner.execute(include_str!("sql/new_bodies.sql"), &[&(BATCHES as i64)])?;
    owner.batch_execute("drop table source")?;
    let mut writer = owner.copy_in("copy bench.terms (n, term) from stdin")?;
    for n in 0..LOOKUPS {
        let term = search_term(&mut stream(TERMS_SEED, 0, n as u64));
        writeln!(writer, "{n}\t{term}")?;
    }
    writer.finish()?;
    Ok(())
}

/// The number behind a label in what pgbench prints.
fn figure(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split([' ', '\n', '/']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_prints_is_read() {
        let text = "number of transactions actually processed: 1234\n\
                    tps = 617.5 (without initial connection time)\n";
        assert_eq!(figure(text, "tps = "), Some(617.5));
        assert_eq!(figure(text, "actually processed: "), Some(1234.0));
        assert_eq!(figure(text, "latency = "), None);
    }
}
