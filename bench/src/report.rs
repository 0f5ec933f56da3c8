//! The files of a bench: tables for a page, every sample for programs, and a picture.

mod classes;
mod disturbance;
mod goals;
mod page;
mod peers;
mod picture;
mod plain;
mod table;

use std::path::{Path, PathBuf};

use warrior_load::files::{create_directory, write_whole};

use self::classes::classes;
use self::disturbance::disturbance;
use self::goals::goals;
use self::page::page;
use self::peers::peers;
use self::picture::picture;
use self::plain::plain;
use crate::fill::Contents;
use crate::options::{BenchOptions, Part};
use crate::result::BenchResult;

/// Where the files of a bench are.
#[derive(Clone, Debug)]
pub struct BenchFiles {
    /// The tables.
    pub markdown: PathBuf,
    /// Every sample.
    pub json: PathBuf,
    /// Throughput as a picture.
    pub picture: PathBuf,
}

/// Where results are kept, in the repository.
const RESULTS: &str = "bench/results";

/// Writes all three.
///
/// # Errors
/// When they cannot be written.
pub fn write(bench: &BenchResult, out: Option<&Path>) -> anyhow::Result<BenchFiles> {
    let directory = out.map_or_else(|| Path::new(RESULTS).join(folder(bench)), PathBuf::from);
    create_directory(&directory)?;
    let name = name(&bench.options);
    let file = |extension: &str| directory.join(format!("{name}.{extension}"));
    let files = BenchFiles {
        markdown: file("md"),
        json: file("json"),
        picture: file("svg"),
    };
    let json = serde_json::to_string_pretty(bench)? + "\n";
    let page = page(bench, &format!("{name}.svg"));
    for (path, text) in [
        (&files.json, &json),
        (&files.markdown, &page),
        (&files.picture, &picture(bench)),
    ] {
        write_whole(path, text)?;
    }
    Ok(files)
}

/// The goals, the peers and the classes, for the terminal.
pub fn summary(bench: &BenchResult) -> String {
    let mut tables = vec![goals(&bench.goals), peers(bench), plain(&bench.plain)];
    tables.extend(bench.searches.iter().map(|state| classes(bench, state)));
    tables.retain(|table| !table.is_empty());
    let mut table = tables.join("\n");
    if let Some(note) = disturbance(bench) {
        table += &format!("\n{note}\n");
    }
    table
}

/// The day and the machine.
fn folder(bench: &BenchResult) -> String {
    let day = &bench.started_at[..10.min(bench.started_at.len())];
    let machine = &bench.machine;
    let model: String = machine
        .cpu_model
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join("-")
        .to_lowercase();
    let model: String = model
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    format!("{day}-{model}-{}-cores", machine.cpus)
}

/// The parts and the rows, so that slices of one bench stand beside each other.
fn name(options: &BenchOptions) -> String {
    let all = [
        (Part::Create, "create"),
        (Part::Find, "find"),
        (Part::Count, "count"),
        (Part::Search, "search"),
        (Part::Classes, "classes"),
        (Part::Mixed, "mixed"),
        (Part::Peers, "peers"),
    ];
    let chosen = all.iter().filter(|(part, _)| options.only.contains(part));
    let mut names: Vec<&str> = chosen.map(|(_, name)| *name).collect();
    if names.len() == all.len() {
        names = vec!["all"];
    }
    let tables = options.tables.iter().map(|table| match table {
        Contents::Laboratory => "",
        Contents::DistinctSkills => "distinct-skills",
        Contents::RealNames => "real-names",
    });
    names.extend(tables.filter(|table| !table.is_empty()));
    names.extend(options.plain.then_some("plain"));
    format!("{}-{}-rows", names.join("-"), options.rows)
}
