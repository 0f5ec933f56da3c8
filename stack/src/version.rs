//! Versions of PostgreSQL and PgBouncer, as far as anything depends on them. A leaf.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first two numbers of a version: `15.20` is major 15, `1.24.1` is major 1, minor 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// Reads `15.20`, `1.24.1` or `17beta1`; `None` when `word` does not begin with a number.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        let read = |text: &str| text.split_whitespace().find_map(Version::parse);
        let version = |major, minor| Some(Version { major, minor });
        assert_eq!(
            read("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"),
            version(15, 20)
        );
        assert_eq!(
            read("postgres (PostgreSQL) 18beta1"),
            version(18, 0).map(|v| Version { minor: 0, ..v })
        );
        assert_eq!(
            read("PgBouncer 1.18.0\nlibevent 2.1.12-stable"),
            version(1, 18)
        );
        assert_eq!(read("nothing here"), None);
    }
}
