//! The domain: what a warrior is, and how bytes become one.
//!
//! Parsing is validation: a [`NewWarrior`] in hand satisfies every limit below, so nothing further
//! down checks again. This module imports no layer.

mod body;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use uuid::Uuid;

use body::{Fields, Json};

/// Longest name, in Unicode code points, as PostgreSQL's `varchar(100)` counts.
pub const NAME_MAX: usize = 100;
/// Most skills that one warrior may have; the least is one.
pub const SKILLS_MAX: usize = 20;
/// Longest skill, in Unicode code points; the shortest is one.
pub const SKILL_MAX: usize = 250;

/// The keys of a warrior, in the contract's order.
const FIELDS: [&str; 3] = ["name", "dob", "fight_skills"];

/// A warrior as a client describes it, with every limit checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewWarrior {
    /// 1 to [`NAME_MAX`] code points, no U+0000.
    pub name: String,
    /// A real calendar date, exactly `YYYY-MM-DD`, 0001-01-01 to 9999-12-31.
    pub dob: String,
    /// 1 to [`SKILLS_MAX`] strings of 1 to [`SKILL_MAX`] code points, in the client's order.
    pub fight_skills: Vec<String>,
}

/// A warrior as the database holds it, its texts borrowed from the row. Rows that came in by other ways than this API
/// may exceed the limits of [`NewWarrior`], and are served as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Warrior<'r> {
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: &'r str,
    /// The date, as PostgreSQL writes it in ISO style.
    pub dob: String,
    /// The skills, in order.
    pub fight_skills: Vec<Option<&'r str>>,
}

/// A warrior with the time it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredWarrior<'r> {
    /// The warrior itself.
    #[serde(flatten)]
    pub warrior: Warrior<'r>,
    /// RFC 3339, UTC; null in rows of an adopted table that had none.
    pub created_at: Option<String>,
}

/// Why bytes are not a warrior.
#[derive(Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not one JSON object: broken syntax, invalid UTF-8, a lone surrogate, a key given twice, values nested too deep.
    Malformed(String),
    /// A JSON object whose fields are wrong or missing; every wrong field, in the contract's order.
    Invalid(Vec<FieldError>),
}

/// One wrong field and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The key in the JSON object.
    pub field: &'static str,
    /// What is wrong and what would be right; it never repeats the value.
    pub detail: String,
}

impl NewWarrior {
    /// Bytes that it takes in memory, but for what the allocator adds.
    pub fn bytes(&self) -> usize {
        let skills = self.fight_skills.iter();
        size_of::<Self>()
            + self.name.len()
            + self.dob.len()
            + skills
                .map(|skill| size_of::<String>() + skill.len())
                .sum::<usize>()
    }

    /// Reads a request body.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] when it is not one JSON object, [`Rejection::Invalid`] with every
    /// wrong field otherwise. Unknown keys are ignored.
    pub fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let mut fields = body::read(body).map_err(Rejection::Malformed)?;
        let mut wrong = Vec::new();
        let name = checked("name", name, &mut fields, &mut wrong);
        let dob = checked("dob", dob, &mut fields, &mut wrong);
        let fight_skills = checked("fight_skills", fight_skills, &mut fields, &mut wrong);
        match (name, dob, fight_skills) {
            (Some(name), Some(dob), Some(fight_skills)) => Ok(Self {
                name,
                dob,
                fight_skills,
            }),
            _ => Err(Rejection::Invalid(wrong)),
        }
    }
}

impl Warrior<'_> {
    /// The warrior as a client would have sent it.
    pub fn as_sent(&self) -> NewWarrior {
        // A NULL among the skills came in by another way, and equals no client's skill.
        let skills = self
            .fight_skills
            .iter()
            .map(|skill| skill.unwrap_or_default());
        NewWarrior {
            name: self.name.to_owned(),
            dob: self.dob.clone(),
            fight_skills: skills.map(str::to_owned).collect(),
        }
    }
}

/// The value of a field that is right; else adds why it is not to `wrong`.
fn checked<T>(
    field: &'static str,
    check: impl Fn(Option<Json>) -> Result<T, String>,
    fields: &mut Fields,
    wrong: &mut Vec<FieldError>,
) -> Option<T> {
    check(fields.take(field))
        .map_err(|detail| wrong.push(FieldError { field, detail }))
        .ok()
}

fn name(value: Option<Json>) -> Result<String, String> {
    text(value, NAME_MAX)
}

fn dob(value: Option<Json>) -> Result<String, String> {
    const RIGHT: &str = "must be a calendar date written YYYY-MM-DD, 0001-01-01 to 9999-12-31";
    let text = match value {
        None => return Err(format!("is missing; it {RIGHT}")),
        Some(Json::Text(text)) => text,
        Some(_) => return Err(RIGHT.to_owned()),
    };
    // chrono alone would accept "2020-1-1" and "+2020-01-01"; writing the date back settles it.
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").map_err(|_| RIGHT.to_owned())?;
    if (1..=9999).contains(&date.year()) && date.format("%Y-%m-%d").to_string() == text {
        Ok(text)
    } else {
        Err(RIGHT.to_owned())
    }
}

fn fight_skills(value: Option<Json>) -> Result<Vec<String>, String> {
    let right = format!("must be an array of 1 to {SKILLS_MAX} strings");
    let items = match value {
        None => return Err(format!("is missing; it {right}")),
        Some(Json::List(items)) => items,
        Some(_) => return Err(right),
    };
    if items.is_empty() || items.len() > SKILLS_MAX {
        return Err(format!("{right}; it has {}", items.len()));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(i, item)| text(Some(item), SKILL_MAX).map_err(|e| format!("item {} {e}", i + 1)))
        .collect()
}

/// A string of 1 to `max` code points without U+0000, which PostgreSQL's text cannot hold.
fn text(value: Option<Json>, max: usize) -> Result<String, String> {
    let right = format!("must be a string of 1 to {max} characters");
    let text = match value {
        None => return Err(format!("is missing; it {right}")),
        Some(Json::Text(text)) => text,
        Some(_) => return Err(right),
    };
    if text.contains('\0') {
        return Err("must not contain the character U+0000".to_owned());
    }
    match text.chars().count() {
        n if (1..=max).contains(&n) => Ok(text),
        n => Err(format!("{right}; it has {n}")),
    }
}

#[cfg(test)]
mod tests;
