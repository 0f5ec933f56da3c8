//! Refusals: why a row of a file is no warrior, by column and reason.

use std::fmt;

use crate::warrior::{NAME_MAX, SKILL_MAX, SKILLS_MAX};

/// Why a row is not a warrior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The column.
    pub column: &'static str,
    /// The reason.
    pub reason: Reason,
}

/// What PostgreSQL or the contract cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// NULL.
    Null,
    /// An id that is no UUID.
    NotUuid,
    /// An id that several rows have: which one is right only a person can say.
    Repeated,
    /// A text without a character, or a list without an item.
    Empty,
    /// U+0000, which PostgreSQL's text cannot hold.
    Nul,
    /// More characters than the contract allows.
    TooLong,
    /// A text that is no date written `YYYY-MM-DD`.
    NotDate,
    /// `infinity` or `-infinity`.
    Infinite,
    /// Before the year 1.
    BeforeChrist,
    /// After the year 9999.
    After9999,
    /// A text that begins as a JSON array does, in a column whose texts were guessed to stand between commas.
    LooksJson,
    /// The same of a text that begins as an array of PostgreSQL or a tuple does.
    LooksArray,
    /// The same of a text without a comma, but with another mark that may separate skills.
    OtherMarks,
    /// A text that is no JSON array of strings.
    NotJson,
    /// NULL within a list.
    NullItem,
    /// More skills than the contract allows.
    TooMany,
    /// A skill without a character.
    EmptyItem,
    /// A skill with more characters than the contract allows.
    TooLongItem,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("is NULL"),
            Self::NotUuid => f.write_str("is not a UUID"),
            Self::Repeated => f.write_str("stands more than once"),
            Self::Empty => f.write_str("is empty"),
            Self::Nul => f.write_str("contains U+0000"),
            Self::TooLong => write!(f, "has more than {NAME_MAX} characters"),
            Self::NotDate => f.write_str("is not a date written YYYY-MM-DD"),
            Self::Infinite => f.write_str("is infinite"),
            Self::BeforeChrist => f.write_str("is before 0001-01-01"),
            Self::After9999 => f.write_str("is after 9999-12-31"),
            Self::LooksJson => f.write_str("looks like JSON; say --skills"),
            Self::LooksArray => f.write_str("begins as an array does; say --skills"),
            Self::OtherMarks => f.write_str("has no comma, but ; | or lines; say --skills"),
            Self::NotJson => f.write_str("is not a JSON array of strings"),
            Self::NullItem => f.write_str("has a NULL among the skills"),
            Self::TooMany => write!(f, "has more than {SKILLS_MAX} skills"),
            Self::EmptyItem => f.write_str("has an empty skill"),
            Self::TooLongItem => write!(f, "has a skill of more than {SKILL_MAX} characters"),
        }
    }
}
