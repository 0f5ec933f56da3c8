//! An attempt, one create with the fate that its answer promises: its two lines joined.

use serde::{Deserialize, Serialize};

/// A create and what came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The number of the request within the ledger.
    pub number: u64,
    /// The warrior that was sent; `None` when the payload was wrong in a way that can never be a row.
    pub warrior: Option<Stored>,
    /// The fate that the answer promises.
    pub fate: Fate,
    /// The key in the body of a 504, which settles it.
    pub key: Option<String>,
}

/// A warrior as a row holds it and as `GET` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stored {
    /// The name.
    pub name: String,
    /// `YYYY-MM-DD`.
    pub dob: String,
    /// In their order.
    pub fight_skills: Vec<String>,
}

/// The promise of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// 201: there is one such row, there.
    Acknowledged {
        /// Where it can be read.
        location: String,
    },
    /// 201 without a `Location`: against the contract, and the row cannot be found by its id.
    AcknowledgedWithoutLocation,
    /// 503: there is no such row.
    Refused,
    /// 4xx: there is no such row.
    Rejected {
        /// The status code.
        status: u16,
    },
    /// 504, cut, timed out or anything else: there may be a row, or not.
    Unknown {
        /// Where the row would be, when the server said so.
        location: Option<String>,
    },
    /// The request never left.
    Unsent,
}

impl Attempt {
    /// A create that was sent; until its answer is read, its outcome is unknown.
    pub(super) fn new(number: u64, body: &str) -> Attempt {
        let fate = Fate::Unknown { location: None };
        Attempt {
            number,
            warrior: serde_json::from_str(body).ok(),
            fate,
            key: None,
        }
    }
}

impl Stored {
    /// The fields in which another differs from this one.
    pub fn differences(&self, other: &Stored) -> Vec<&'static str> {
        let mut fields = Vec::new();
        if self.name != other.name {
            fields.push("name");
        }
        if self.dob != other.dob {
            fields.push("dob");
        }
        if self.fight_skills != other.fight_skills {
            fields.push("fight_skills");
        }
        fields
    }
}
