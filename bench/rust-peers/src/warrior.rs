//! Warriors in requests, rows and answers.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

/// The body of a create.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NewWarrior {
    pub(crate) name: String,
    #[serde(deserialize_with = "date")]
    pub(crate) dob: NaiveDate,
    pub(crate) fight_skills: Vec<String>,
}

/// A stored warrior; only a find reads when it was stored.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Warrior {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) dob: NaiveDate,
    pub(crate) fight_skills: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl NewWarrior {
    /// What is wrong with it: the contract's limits, which its types leave open.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let fits =
            |text: &str, max| !text.contains('\0') && (1..=max).contains(&text.chars().count());
        if !fits(&self.name, 100) {
            return Some("name must be a string of 1 to 100 characters");
        }
        let skills = &self.fight_skills;
        let skills_fit =
            (1..=20).contains(&skills.len()) && skills.iter().all(|skill| fits(skill, 250));
        (!skills_fit).then_some("fight_skills must be 1 to 20 strings of 1 to 250 characters")
    }
}

impl Warrior {
    /// What a create answers.
    pub(crate) fn created(id: Uuid, new: NewWarrior) -> Warrior {
        let NewWarrior {
            name,
            dob,
            fight_skills,
        } = new;
        Warrior {
            id,
            name,
            dob,
            fight_skills,
            created_at: None,
        }
    }

    /// Reads the columns id, name, dob and fight_skills, in this order.
    pub(crate) fn read(row: &Row) -> Result<Warrior, tokio_postgres::Error> {
        Ok(Warrior {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            dob: row.try_get(2)?,
            fight_skills: row.try_get(3)?,
            created_at: None,
        })
    }

    /// Reads the same columns, and created_at after them.
    pub(crate) fn read_stored(row: &Row) -> Result<Warrior, tokio_postgres::Error> {
        Ok(Warrior {
            created_at: row.try_get(4)?,
            ..Warrior::read(row)?
        })
    }
}

/// Exactly `YYYY-MM-DD`: chrono alone would also take `2020-1-1`.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse() {
        Ok(date) if text.len() == "YYYY-MM-DD".len() => Ok(date),
        _ => Err(serde::de::Error::custom(
            "dob must be a date written YYYY-MM-DD",
        )),
    }
}
