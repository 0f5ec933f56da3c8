//! Encoding of rows for `COPY ... (format binary)`: no value is written as text, so none is parsed or escaped.

use super::row::Row;
use crate::store::calendar::{DAYS_1970_TO_2000, MICROS_1970_TO_2000};

/// Signature, flags and the length of an extension that is not there.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// A number of fields that no row has.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// The columns of `rows.sql`.
const FIELDS: i16 = 5;
/// The type `text`, as every PostgreSQL numbers it.
const TEXT_OID: i32 = 25;
/// The length of a NULL.
const NULL: i32 = -1;
/// PostgreSQL counts from 2000-01-01.
const DAYS_TO_2000: i32 = DAYS_1970_TO_2000 as i32;

/// Rows, encoded; at least a header.
pub(super) struct Encoded {
    bytes: Vec<u8>,
    rows: u64,
}

impl Encoded {
    pub(super) fn new() -> Self {
        Self {
            bytes: HEADER.to_vec(),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets the rows and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.truncate(HEADER.len());
        self.rows = 0;
    }

    /// The parts of the message, whole.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        [&self.bytes, &TRAILER]
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.bytes.extend_from_slice(&FIELDS.to_be_bytes());
        self.field(row.id.as_bytes());
        self.field(row.name.as_bytes());
        self.field(&(row.dob - DAYS_TO_2000).to_be_bytes());
        self.skills(row);
        match row.created_at {
            None => self.number(NULL),
            Some(time) => self.field(&(time - MICROS_1970_TO_2000).to_be_bytes()),
        }
    }

    /// An array of one dimension without NULLs, whose first index is 1.
    fn skills(&mut self, row: &Row<'_>) {
        let skills = &row.fight_skills;
        let items: usize = skills.iter().map(|skill| 4 + skill.len()).sum();
        self.number(length(20 + items));
        for number in [1, 0, TEXT_OID, length(skills.len()), 1] {
            self.number(number);
        }
        for skill in skills {
            self.field(skill.as_bytes());
        }
    }

    fn field(&mut self, bytes: &[u8]) {
        self.number(length(bytes.len()));
        self.bytes.extend_from_slice(bytes);
    }

    fn number(&mut self, number: i32) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }
}

/// The limits of the contract keep every value far below this type's.
fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
