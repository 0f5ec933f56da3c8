//! Warriors as the public stress test of this API makes them, and the status that the contract
//! prescribes for each.

mod draw;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

pub(super) use self::draw::letters_and_spaces;
pub use self::draw::search_term;
use self::draw::{broken_date, broken_skills, calendar_date, draw_skills, martial_art};

/// The 25 skills that payloads draw from, with replacement.
pub const MARTIAL_ARTS: [&str; 25] = [
    "Aikido",
    "Bajiquan",
    "Boxing",
    "Capoeira",
    "Glima",
    "Hapkido",
    "Iaido",
    "Jeet Kune Do",
    "Judo",
    "Jujutsu",
    "Karate",
    "Kendo",
    "Kickboxing",
    "Krav Maga",
    "Kung Fu",
    "Muay Thai",
    "Ninjutsu",
    "Pankration",
    "Sambo",
    "Savate",
    "Silat",
    "Sumo",
    "Taekwondo",
    "Tai Chi",
    "Wrestling",
];

/// The payload of a create. Serialises to the request's body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warrior {
    /// 1 to 100 letters and spaces, or 120 when it is broken on purpose.
    pub name: String,
    /// `YYYY-MM-DD`, not always a day that exists.
    pub dob: String,
    /// The value of the skills field.
    pub fight_skills: Skills,
}

/// The skills field, right or wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Skills {
    /// An array of strings; the contract allows 1 to 20, the stress test sends 1 to 26.
    List(Vec<&'static str>),
    /// `null`.
    Null,
    /// One string where an array belongs.
    NotAnArray(&'static str),
    /// An array that holds numbers.
    Numbers(Vec<u8>),
}

impl Warrior {
    /// Draws a warrior with the distribution of the public stress test.
    pub fn draw(random: &mut Pcg64Mcg) -> Warrior {
        let mut warrior = Warrior {
            name: letters_and_spaces(random, 1, 100),
            dob: format!(
                "{:04}-{:02}-{:02}",
                random.random_range(1940..=2020),
                random.random_range(1..=13),
                random.random_range(1..=29)
            ),
            fight_skills: draw_skills(random),
        };
        match random.random_range(0..100) {
            0 => warrior.name = letters_and_spaces(random, 120, 120),
            1 => warrior.dob = broken_date(random).to_owned(),
            2 => warrior.fight_skills = broken_skills(random),
            _ => {}
        }
        warrior
    }

    /// A warrior that the contract accepts, for profiles that measure nothing but success.
    pub fn draw_valid(random: &mut Pcg64Mcg) -> Warrior {
        let count = random.random_range(1..=20);
        Warrior {
            name: letters_and_spaces(random, 1, 100),
            dob: calendar_date(random),
            fight_skills: Skills::List((0..count).map(|_| martial_art(random)).collect()),
        }
    }

    /// The same warrior in other letters: every length, every validity and so the prescribed status stay.
    pub fn in_other_letters(self, random: &mut Pcg64Mcg) -> Warrior {
        let length = self.name.chars().count();
        Warrior {
            name: letters_and_spaces(random, length, length),
            dob: if is_calendar_date(&self.dob) {
                calendar_date(random)
            } else {
                self.dob
            },
            fight_skills: match self.fight_skills {
                Skills::List(skills) => {
                    Skills::List(skills.iter().map(|_| martial_art(random)).collect())
                }
                other => other,
            },
        }
    }

    /// The status that the contract prescribes: 201, or 422 when a field is wrong.
    ///
    /// Written from the contract's text, not from the server's code, so that the two can
    /// disagree.
    pub fn prescribed_status(&self) -> u16 {
        let name_fits = (1..=100).contains(&self.name.chars().count());
        let skills_fit = match &self.fight_skills {
            Skills::List(skills) => {
                (1..=20).contains(&skills.len())
                    && skills
                        .iter()
                        .all(|skill| (1..=250).contains(&skill.chars().count()))
            }
            Skills::Null | Skills::NotAnArray(_) | Skills::Numbers(_) => false,
        };
        if name_fits && is_calendar_date(&self.dob) && skills_fit {
            201
        } else {
            422
        }
    }
}

/// Exactly `YYYY-MM-DD`, and a day that exists.
fn is_calendar_date(text: &str) -> bool {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped && !text.starts_with("0000") && text.parse::<chrono::NaiveDate>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::stream;

    fn warrior(name: &str, dob: &str, fight_skills: Skills) -> Warrior {
        Warrior {
            name: name.to_owned(),
            dob: dob.to_owned(),
            fight_skills,
        }
    }

    #[test]
    fn the_contract_decides_each_field() {
        let skills = |n| Skills::List(vec!["Judo"; n]);
        let long = "x".repeat(101);
        for (name, dob, fight_skills, status) in [
            (" ", "2000-02-29", skills(1), 201),
            ("a", "1999-12-31", skills(20), 201),
            ("a", "1999-02-29", skills(1), 422),
            ("a", "1999-13-01", skills(1), 422),
            ("a", "1999-1-01", skills(1), 422),
            ("a", "", skills(1), 422),
            ("", "1999-01-01", skills(1), 422),
            (long.as_str(), "1999-01-01", skills(1), 422),
            ("a", "1999-01-01", skills(0), 422),
            ("a", "1999-01-01", skills(21), 422),
            ("a", "1999-01-01", Skills::Null, 422),
            ("a", "1999-01-01", Skills::NotAnArray("Judo"), 422),
            ("a", "1999-01-01", Skills::Numbers(vec![1]), 422),
        ] {
            let warrior = warrior(name, dob, fight_skills);
            assert_eq!(warrior.prescribed_status(), status, "{warrior:?}");
        }
    }

    #[test]
    fn the_distribution_is_the_labs() {
        let drawn: Vec<Warrior> = (0..100_000)
            .map(|n| Warrior::draw(&mut stream(1, 0, n)))
            .collect();
        let share = |test: &dyn Fn(&Warrior) -> bool| {
            drawn.iter().filter(|warrior| test(warrior)).count() as f64 / drawn.len() as f64
        };
        let near = |found: f64, wanted: f64, what: &str| {
            assert!(
                (found - wanted).abs() < wanted * 0.1 + 0.001,
                "{what}: {found} for {wanted}"
            );
        };
        near(
            share(&|w| w.name.len() == 120),
            0.01,
            "names of 120 characters",
        );
        near(
            share(&|w| w.fight_skills == Skills::Null),
            1.0 / 14.0 * 0.99,
            "null skills",
        );
        near(
            share(&|w| w.dob.contains("-13-")),
            1.0 / 13.0 * 0.99,
            "month 13",
        );
        near(share(&|w| w.dob.ends_with("-29")), 1.0 / 29.0, "day 29");
        near(
            share(&|w| matches!(&w.fight_skills, Skills::List(list) if list.len() > 20)),
            6.0 / 26.0 * 13.0 / 14.0 * 0.99,
            "more than 20 skills",
        );
        // 12/13 of the months, 13/14 not null, 20/26 not too many, 97 % not broken on purpose.
        near(share(&|w| w.prescribed_status() == 201), 0.636, "accepted");
    }

    #[test]
    fn a_valid_warrior_is_always_prescribed_201() {
        for n in 0..10_000 {
            let warrior = Warrior::draw_valid(&mut stream(1, 0, n));
            assert_eq!(warrior.prescribed_status(), 201, "{warrior:?}");
        }
    }

    #[test]
    fn other_letters_prescribe_the_same_status() {
        let length = |warrior: &Warrior| serde_json::to_vec(&warrior.name).map(|name| name.len());
        for n in 0..10_000 {
            let drawn = Warrior::draw(&mut stream(1, 0, n));
            let other = drawn.clone().in_other_letters(&mut stream(2, 0, n));
            let status = other.prescribed_status();
            assert_eq!(status, drawn.prescribed_status(), "{drawn:?}, {other:?}");
            assert_eq!(length(&other).ok(), length(&drawn).ok());
            assert!(status != 201 || other != drawn, "{other:?}");
        }
    }

    #[test]
    fn the_body_is_the_contracts_json() {
        let body = serde_json::to_string(&warrior("A", "2000-01-01", Skills::Null));
        assert_eq!(
            body.expect("plain strings serialise"),
            r#"{"name":"A","dob":"2000-01-01","fight_skills":null}"#
        );
    }
}
