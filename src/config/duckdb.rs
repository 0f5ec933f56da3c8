//! The flags of `warrior-api duckdb`: the library, the file and its shape, and the direct login of the owner.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use warrior_stack::Database;

use super::database::{DatabaseArgs, OwnerArgs};
use super::error::ConfigError;
use crate::quoting::quoted;

/// The columns of a warrior, as the flags and messages name them.
const COLUMNS: [&str; 5] = ["id", "name", "dob", "fight_skills", "created_at"];

/// The table, where none is named.
const TABLE: &str = "warrior";

/// Flags of `duckdb`.
#[derive(Debug, Args)]
pub struct DuckDbArgs {
    /// What to do with the file
    #[command(subcommand)]
    pub action: DuckDbAction,
    #[command(flatten)]
    library: LibraryArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    owner: OwnerArgs,
}

#[derive(Debug, Args)]
struct LibraryArgs {
    /// The libduckdb to load [default: the first of ../lib beside the program and the system's folders]
    #[arg(
        long = "library",
        global = true,
        env = "DUCKDB_LIBRARY",
        value_name = "DUCKDB_LIBRARY"
    )]
    path: Option<PathBuf>,
}

/// The actions of `duckdb`.
#[derive(Debug, Subcommand)]
pub enum DuckDbAction {
    /// Copy the warriors of a DuckDB file into PostgreSQL; the file is only read
    #[command(after_long_help = IMPORT_STATUS)]
    Import(ImportArgs),
    /// Compare a DuckDB file with PostgreSQL, row by row; nothing is written
    #[command(after_long_help = CHECK_STATUS)]
    Check(CheckArgs),
    /// Write the warriors in PostgreSQL to a DuckDB file that the old service opens; the API may go on serving
    #[command(after_long_help = EXPORT_STATUS)]
    Export(ExportArgs),
}

const IMPORT_STATUS: &str = "Exit status: 0 every row of the file is in PostgreSQL, but for those that --rejects \
                             left out; 1 it failed, or was stopped, and the same command goes on, or the flags are \
                             wrong; 3 rows of the file cannot be taken, or PostgreSQL has other content under the \
                             same id.";

const CHECK_STATUS: &str = "Exit status: 0 PostgreSQL holds every row of the file as it stands there, but for those of \
                            --rejects, and may hold newer ones; 1 it failed, or the flags are wrong; 5 rows are missing or changed.";

const EXPORT_STATUS: &str = "Exit status: 0 the file holds every warrior, and was compared; 1 it failed, or the flags are wrong, and the \
                             rows of the file are as they were (where the last step of --add failed, it says that \
                             FILE.wal holds the new ones); 5 what is new was added, and rows that the file had \
                             before differ from PostgreSQL's.";

/// Flags of `duckdb import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The file, and where in it the warriors stand.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Leave rows out that cannot be taken, and write them to this file as JSON lines (id, column, reason, row); without
    /// it such rows stop the import before anything is copied
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Do everything but the writing, and say what an import would do
    #[arg(long)]
    pub dry_run: bool,
}

impl ImportArgs {
    /// The command that compares both sides afterwards: this one as it was typed, whatever it says of the database and the
    /// library, but for what an import alone has.
    pub fn check_command(&self) -> String {
        let typed = std::env::args_os().skip(1);
        self.check_of(typed.map(|word| word.to_string_lossy().into_owned()))
    }

    fn check_of(&self, typed: impl Iterator<Item = String>) -> String {
        let (mut command, mut typed) = ("warrior-api".to_owned(), typed);
        let mut is_named = false;
        while let Some(word) = typed.next() {
            let word = match word.as_str() {
                "import" if !is_named => {
                    is_named = true;
                    "check".to_owned()
                }
                "--dry-run" => continue,
                // A dry run writes no file of rejects.
                "--rejects" if self.dry_run => {
                    typed.next();
                    continue;
                }
                _ if self.dry_run && word.starts_with("--rejects=") => continue,
                _ => word,
            };
            command.push(' ');
            command.push_str(&quoted(&word));
        }
        command
    }
}

/// Flags of `duckdb check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The file, and where in it the warriors stand.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Compare without the rows that an import left out and wrote to this file
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// Flags of `duckdb export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file, and where in it the warriors stand.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Add what is new in PostgreSQL to a file that is there, in the shape that its table has; without it, a new file is made
    #[arg(long)]
    pub add: bool,
}

/// The file, and where in it the warriors stand.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// The DuckDB file; a write-ahead log beside it (FILE.wal) is read, too
    pub file: PathBuf,
    /// The table, or schema.table
    #[arg(
        long,
        value_parser = NonEmptyStringValueParser::new(),
        default_value = TABLE
    )]
    pub table: String,
    /// Columns with other names: name=full_name,dob=born; created_at= (nothing) leaves created_at out
    #[arg(long, value_delimiter = ',', value_parser = renamed, value_name = "COLUMN=NAME,...")]
    pub map: Vec<Renamed>,
    /// How skills are written in a text column [default: what most of its rows look like]
    #[arg(long, value_enum)]
    pub skills: Option<SkillsText>,
    /// The zone of a created_at without one (TIMESTAMP): the old service wrote the local time of its machine [default: UTC]
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub time_zone: Option<String>,
}

/// A column that has another name in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// One of the columns of a warrior.
    pub column: &'static str,
    /// Its name in the file; empty: left out.
    pub name: String,
}

/// How a list of skills is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SkillsText {
    /// A JSON array of strings.
    Json,
    /// Separated by commas; spaces around a skill do not belong to it.
    Comma,
}

impl DuckDbArgs {
    /// The library to load; none: the first that is found.
    pub fn library(&self) -> Option<&Path> {
        self.library.path.as_deref()
    }

    /// The direct connection, as the owner of the schema.
    ///
    /// # Errors
    /// When TLS lacks its CA, or a secret is empty or given twice.
    pub fn owner(&self) -> Result<Database, ConfigError> {
        self.owner.resolve(&self.database)
    }
}

impl SourceArgs {
    /// Whether times without a zone are to be read as those of another one than by default, which is UTC.
    pub fn names_zone(&self) -> bool {
        !(self.time_zone.as_deref()).is_none_or(|zone| zone.eq_ignore_ascii_case("UTC"))
    }

    /// The name of `column` in the file; none when it is left out.
    pub fn name_of<'s>(&'s self, column: &'s str) -> Option<&'s str> {
        let renamed = self.map.iter().rev().find(|one| one.column == column);
        Some(renamed.map_or(column, |one| &one.name)).filter(|name| !name.is_empty())
    }
}

fn renamed(text: &str) -> Result<Renamed, String> {
    let (column, name) = (text.split_once('='))
        .ok_or_else(|| format!("{text:?} has no =; write name=full_name,dob=born"))?;
    let column = (COLUMNS.into_iter().find(|known| *known == column))
        .ok_or_else(|| format!("{column:?} is none of {}", COLUMNS.join(", ")))?;
    if name.is_empty() && column != "created_at" {
        return Err(format!("{column} cannot be left out; only created_at can"));
    }
    let name = name.to_owned();
    Ok(Renamed { column, name })
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn the_check_is_typed_as_the_import_was() {
        let check = |typed: &[&str]| {
            let command = ImportArgs::augment_args(clap::Command::new("import"));
            let import = typed.iter().position(|word| *word == "import").unwrap();
            let matches = command.get_matches_from(&typed[import..]);
            let args = ImportArgs::from_arg_matches(&matches).unwrap();
            args.check_of(typed.iter().map(|word| (*word).to_owned()))
        };
        let typed = [
            "duckdb",
            "--postgres-db=other",
            "import",
            "it's here",
            "--table",
            "my fighters",
            "--rejects",
            "left.jsonl",
        ];
        let expected =
            "warrior-api duckdb --postgres-db=other check \"it's here\" --table 'my fighters'";
        assert_eq!(check(&typed), format!("{expected} --rejects left.jsonl"));
        let dry = [&typed[..], &["--dry-run"]].concat();
        assert_eq!(check(&dry), expected);
    }

    #[test]
    fn a_column_is_renamed_or_refused_with_what_would_be_right() {
        let right = Renamed {
            column: "name",
            name: "full=name".to_owned(),
        };
        assert_eq!(renamed("name=full=name"), Ok(right));
        assert!(renamed("created_at=").is_ok());
        for (wrong, said) in [
            ("name", "has no ="),
            (
                "skills=x",
                "is none of id, name, dob, fight_skills, created_at",
            ),
            ("id=", "cannot be left out"),
        ] {
            let message = renamed(wrong).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }
}
