//! A filled table before anything is measured, of what the workload creates: by COPY as the owner, without the search
//! indexes, which `schema apply` then builds again.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use postgres::Client;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use warrior_load::output::say;
use warrior_load::schedule::stream;
use warrior_load::stack::Stack;
use warrior_load::workload::{MARTIAL_ARTS, Skills, Warrior};

use crate::{marks, names};

/// Rows for each COPY: the triggers see this many at once.
const CHUNK: u64 = 100_000;

/// Rows after which progress is told.
const REPORT_EVERY: u64 = 500_000;

/// One row in so many is known by a name and a skill that no random row has, so that there are rare
/// terms, also of two characters and outside of ASCII.
pub(crate) const MARKED_EVERY: u64 = 10_000;

/// How many different skills there are when skills do not repeat.
pub(crate) const DISTINCT_SKILLS: u64 = 1_000_000;

/// Keeps these rows apart from those that are created later.
const SEED: u64 = 0x5741_5252_494f_5231;

/// What the rows of a table are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contents {
    /// What the public stress test creates: names of random letters, 25 skills
    Laboratory,
    /// The same with a million different skills
    DistinctSkills,
    /// The same with first and family names of sixteen languages
    RealNames,
}

/// One row of the filled table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeedRow {
    /// The name.
    pub name: String,
    /// The date as ISO 8601.
    pub dob: String,
    /// The skills.
    pub skills: Vec<String>,
}

/// SeedRow `number` of the filled table; the same for everybody who asks.
pub(crate) fn row(number: u64, contents: Contents) -> SeedRow {
    let mut random = stream(SEED, 0, number);
    let Warrior {
        mut name,
        dob,
        fight_skills,
    } = Warrior::draw_valid(&mut random);
    let Skills::List(drawn) = fight_skills else {
        unreachable!("a valid warrior has a list of skills")
    };
    let mut skills: Vec<String> = match contents {
        Contents::DistinctSkills => drawn.iter().map(|_| distinct_skill(&mut random)).collect(),
        Contents::Laboratory | Contents::RealNames => {
            drawn.into_iter().map(str::to_owned).collect()
        }
    };
    marks::mark(number, &mut name, &mut skills);
    if contents == Contents::RealNames {
        name = names::draw(&mut random);
    }
    if number % MARKED_EVERY == MARKED_EVERY / 2 {
        let mark = number / MARKED_EVERY;
        name = format!("Žižka Ñandú {mark}");
        skills[0] = format!("Lethwei {mark}");
    }
    SeedRow { name, dob, skills }
}

fn distinct_skill(random: &mut Pcg64Mcg) -> String {
    let number = random.random_range(0..DISTINCT_SKILLS);
    let art = MARTIAL_ARTS[number as usize % MARTIAL_ARTS.len()];
    format!("{art} {number:06}")
}

/// Empties the table and fills it with `rows` rows, until a signal stops it.
pub(crate) fn fill(
    stack: &Stack,
    server: &Path,
    rows: u64,
    contents: Contents,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    fill_without_indexes(stack, rows, contents, stop)?;
    apply_schema(stack, server, &[])
}

/// The same on the plain schema.
pub(crate) fn fill_plain(
    stack: &Stack,
    server: &Path,
    rows: u64,
    contents: Contents,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    fill_without_indexes(stack, rows, contents, stop)?;
    apply_schema(stack, server, &["--plain"])
}

fn fill_without_indexes(
    stack: &Stack,
    rows: u64,
    contents: Contents,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut owner = stack.owner().connect()?;
    owner.batch_execute(include_str!("sql/empty.sql"))?;
    drop_search_indexes(&mut owner)?;
    let start = chrono::Utc::now().timestamp_millis() as u64 - rows / 100;
    for from in (0..rows).step_by(CHUNK as usize) {
        ensure!(!stop.load(Ordering::Relaxed), "interrupted");
        let until = rows.min(from + CHUNK);
        let mut writer = owner
            .copy_in(include_str!("sql/copy.sql"))
            .context("cannot fill the table")?;
        for number in from..until {
            let mut random = stream(SEED, 1, number);
            // Version 7, a hundred a millisecond, up to now: as if the API had made them.
            let id =
                uuid::Builder::from_unix_timestamp_millis(start + number / 100, &random.random());
            let SeedRow { name, dob, skills } = row(number, contents);
            writeln!(
                writer,
                "{}\t{name}\t{dob}\t{}",
                id.into_uuid(),
                array(&skills)
            )?;
        }
        writer.finish()?;
        if until.is_multiple_of(REPORT_EVERY) || until == rows {
            say(format_args!("  {until} of {rows} rows"));
        }
    }
    Ok(())
}

/// Skills as COPY and array literals take them; none of them needs an escape.
pub(crate) fn array(skills: &[String]) -> String {
    format!("{{\"{}\"}}", skills.join("\",\""))
}

fn drop_search_indexes(owner: &mut Client) -> anyhow::Result<()> {
    let drop = owner.query_opt(include_str!("sql/drop_search_indexes.sql"), &[])?;
    if let Some(drop) = drop {
        owner.batch_execute(drop.try_get(0)?)?;
    }
    Ok(())
}

/// Builds what is missing, as an operator would, and vacuums.
fn apply_schema(stack: &Stack, server: &Path, flags: &[&str]) -> anyhow::Result<()> {
    say(format_args!("  building the search indexes"));
    let output = Command::new(server)
        .args(["schema", "apply"])
        .args(flags)
        .env("POSTGRES_DIRECT_HOST", "127.0.0.1")
        .env("POSTGRES_DIRECT_PORT", stack.postgres.port.to_string())
        .env(
            "POSTGRES_OWNER_PASSWORD_FILE",
            stack.data.join("secrets/owner.password"),
        )
        .current_dir("/")
        .output()
        .with_context(|| format!("cannot start {}", server.display()))?;
    ensure!(
        output.status.success(),
        "`schema apply` failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    say(format_args!("  vacuum analyze"));
    Ok((stack.owner().connect()?).batch_execute("vacuum analyze")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_each_time_and_the_marked_ones_are_known() {
        for contents in Contents::value_variants() {
            let rows: Vec<SeedRow> = (0..1_000).map(|number| row(number, *contents)).collect();
            for pair in marks::PAIRS {
                let with = rows.iter().filter(|row| row.name.contains(pair)).count();
                assert!(with == 20 || *contents == Contents::RealNames, "{with}");
            }
            let with = |row: &&SeedRow| row.skills.iter().any(|skill| skill == marks::SKILL);
            assert_eq!(rows.iter().filter(with).count(), 40);
            assert_eq!(row(7, *contents), row(7, *contents));
            let marked = row(MARKED_EVERY / 2, *contents);
            assert_eq!(marked.name, "Žižka Ñandú 0");
            assert_eq!(marked.skills[0], "Lethwei 0");
        }
        let (laboratory, real) = (row(7, Contents::Laboratory), row(7, Contents::RealNames));
        assert_eq!(row(7, Contents::DistinctSkills).name, laboratory.name);
        assert_eq!(
            (&real.dob, &real.skills),
            (&laboratory.dob, &laboratory.skills)
        );
        assert_ne!(real.name, laboratory.name);
        let skills = ["Judo".to_owned(), "Kung Fu".to_owned()];
        assert_eq!(array(&skills), r#"{"Judo","Kung Fu"}"#);
    }
}
