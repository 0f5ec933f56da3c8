//! The circumstances of a run, as the last part of its page.

use maud::{Markup, html as markup};

use super::values::share;
use crate::output::micros;
use crate::result::RunResult;

pub(super) fn environment(result: &RunResult) -> Markup {
    let (setup, machine, throttling) = (&result.setup, &result.machine, &result.throttling);
    let mut rows = vec![
        ("run", result.run.clone()),
        ("started", result.started_at.clone()),
        (
            "generator",
            format!(
                "warrior-load {}, {} thread(s) at priority {}, {:.1} us of CPU per request",
                setup.generator,
                setup.threads,
                result.generator_nice,
                result.generator_cpu_us_per_request
            ),
        ),
        (
            "begun late by (p50, p99, max)",
            result.total.lateness.map_or("-".to_owned(), |late| {
                format!(
                    "{}, {}, {}",
                    micros(late.p50_us),
                    micros(late.p99_us),
                    micros(late.max_us)
                )
            }),
        ),
        ("commit", setup.commit.clone().unwrap_or("-".to_owned())),
        ("seed, speed", format!("{}, {}", setup.seed, setup.speed)),
        ("profile digest", setup.profile_digest.clone()),
        (
            "machine",
            format!(
                "{}: {} CPUs ({}), {} MiB, Linux {}",
                machine.host, machine.cpus, machine.cpu_model, machine.memory_mib, machine.kernel
            ),
        ),
        (
            "held back",
            format!(
                "throttled {} ms, stolen {}, busy {}",
                throttling.throttled_ms,
                share(throttling.steal),
                share(throttling.busy)
            ),
        ),
        (
            "fdatasync",
            machine
                .fdatasync_per_second
                .map_or("not measured".to_owned(), |rate| {
                    format!("{rate:.0} a second (pg_test_fsync)")
                }),
        ),
    ];
    if let Some(database) = &result.database {
        rows.push((
            "PostgreSQL",
            format!(
                "{}; fsync {}, synchronous_commit {}, full_page_writes {}; settings {}",
                database.version,
                database.fsync,
                database.synchronous_commit,
                database.full_page_writes,
                database.settings_digest.as_deref().unwrap_or("-")
            ),
        ));
    }
    markup! {
        h2 { "Environment" }
        table.environment {
            @for (name, value) in &rows { tr { th { (name) } td { (value) } } }
        }
        h2 { "Profile" }
        pre { (setup.profile_source) }
    }
}
