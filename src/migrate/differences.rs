//! What a comparison found: rows that are named one by one, up to a bound, and counts of all.

use std::fmt;

/// Most rows of each kind that are named; all are counted.
const NAMED_MAX: usize = 1000;

/// In what a file and a snapshot differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Rows of the file.
    pub rows: u64,
    /// Rows in PostgreSQL.
    pub stored: u64,
    /// Rows that the file alone has.
    pub missing: Named,
    /// Rows with one id and different values.
    pub changed: Named,
    /// Rows of the file whose id an earlier row has.
    pub repeated: Named,
    /// Rows of the file that an import left out, and that were not compared.
    pub left_out: u64,
    /// Rows that PostgreSQL alone has.
    pub newer: u64,
}

/// Rows of one kind: all are counted, the first are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// How many there are.
    pub rows: u64,
    /// The id of each, and what is to be said about it.
    pub first: Vec<(String, String)>,
}

impl Differences {
    /// Whether PostgreSQL holds every row of the file as it stands there.
    pub fn is_none(&self) -> bool {
        self.missing.rows + self.changed.rows + self.repeated.rows == 0
    }
}

impl Named {
    pub(super) fn add(&mut self, id: impl fmt::Display, about: impl fmt::Display) {
        self.rows += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push((id.to_string(), about.to_string()));
        }
    }
}

/// One line for each row that is named, then the counts.
impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, named) in [
            ("missing in PostgreSQL", &self.missing),
            ("changed", &self.changed),
            ("more than once in the file", &self.repeated),
        ] {
            for (id, about) in &named.first {
                match about.is_empty() {
                    true => writeln!(f, "{kind}: {id}")?,
                    false => writeln!(f, "{kind}: {id} ({about})")?,
                }
            }
            match named.rows - named.first.len() as u64 {
                0 => {}
                more => writeln!(f, "{kind}: {more} more")?,
            }
        }
        write!(
            f,
            "{} rows in the file, {} in PostgreSQL: ",
            self.rows, self.stored
        )?;
        match (self.is_none(), self.left_out) {
            (true, 0) => f.write_str("every row of the file is in PostgreSQL, and equal")?,
            (true, left_out) => write!(
                f,
                "every row of the file but the {left_out} that were left out is in PostgreSQL, and equal"
            )?,
            (false, _) => write!(
                f,
                "{} missing in PostgreSQL, {} changed, {} more than once in the file",
                self.missing.rows, self.changed.rows, self.repeated.rows
            )?,
        }
        if !self.is_none() && self.left_out > 0 {
            write!(f, "; {} were left out", self.left_out)?;
        }
        match self.newer {
            0 => Ok(()),
            newer => write!(f, "; {newer} in PostgreSQL are newer than the file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn more_rows_are_counted_than_named() {
        let mut found = Differences {
            rows: 3000,
            stored: 1500,
            newer: 2,
            ..Differences::default()
        };
        assert!(found.is_none());
        assert!(
            found
                .to_string()
                .ends_with("and equal; 2 in PostgreSQL are newer than the file")
        );
        for _ in 0..NAMED_MAX + 5 {
            found.missing.add(Uuid::nil(), "");
        }
        found.changed.add("x", "name, dob");
        let told = found.to_string();
        assert_eq!(told.lines().count(), NAMED_MAX + 3);
        assert!(
            told.contains("\nmissing in PostgreSQL: 5 more\nchanged: x (name, dob)\n"),
            "{told}"
        );
        assert!(
            told.contains("1005 missing in PostgreSQL, 1 changed, 0 more"),
            "{told}"
        );
    }
}
