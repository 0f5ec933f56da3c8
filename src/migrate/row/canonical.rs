//! Canonical form for comparison: what a row holds, whatever it is, so that two rows are equal if and only if their
//! values are. The contract's limits play no part, since PostgreSQL may hold what came by other ways.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;
use warrior_duckdb::arrow_array::{Array, StringArray};

use super::{Batch, Dobs, Skills, items_of, uuid, value, written_day};
use crate::config::SkillsText;
use crate::migrate::skills::{NotJson, skills_of};
use crate::migrate::written;

/// A value; or what stands in its place: nothing (NULL), or a text that is none.
pub(in crate::migrate) type Value<'r, T> = Result<T, Option<Cow<'r, str>>>;
/// The skills, in order.
pub(in crate::migrate) type Texts<'r> = Vec<Option<Cow<'r, str>>>;

/// A row of either side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::migrate) struct Canonical<'r> {
    pub(in crate::migrate) id: Uuid,
    pub(in crate::migrate) name: Option<Cow<'r, str>>,
    /// Days since 1970-01-01; infinity is the greatest number, minus infinity the least.
    pub(in crate::migrate) dob: Value<'r, i64>,
    pub(in crate::migrate) fight_skills: Value<'r, Texts<'r>>,
    /// Microseconds since 1970-01-01 00:00 UTC, infinities as above; `None` is NULL, or not compared.
    pub(in crate::migrate) created_at: Option<i128>,
}

impl Canonical<'_> {
    /// A digest that holds within this process; equal rows have equal ones.
    pub(in crate::migrate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// The columns in which two rows differ.
    pub(in crate::migrate) fn differing(&self, other: &Canonical<'_>) -> Vec<&'static str> {
        [
            ("name", self.name != other.name),
            ("dob", self.dob != other.dob),
            ("fight_skills", self.fight_skills != other.fight_skills),
            ("created_at", self.created_at != other.created_at),
        ]
        .into_iter()
        .filter_map(|(column, differs)| differs.then_some(column))
        .collect()
    }

    /// The same row, which outlives the batch that it came with.
    pub(in crate::migrate) fn into_owned(self) -> Canonical<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let skills = |skills: Texts<'_>| skills.into_iter().map(|skill| skill.map(text)).collect();
        Canonical {
            id: self.id,
            name: self.name.map(text),
            dob: self.dob.map_err(|other| other.map(text)),
            fight_skills: (self.fight_skills)
                .map(skills)
                .map_err(|other| other.map(text)),
            created_at: self.created_at,
        }
    }
}

impl<'b> Batch<'b> {
    /// The row at `at`.
    ///
    /// # Errors
    /// The id as it is written, if it is no UUID.
    pub(in crate::migrate) fn canonical(
        &self,
        at: usize,
    ) -> Result<Canonical<'b>, Option<&'b str>> {
        let written = self.written_id(at);
        Ok(Canonical {
            id: written.and_then(uuid).ok_or(written)?,
            name: text(self.names, at),
            dob: match self.dobs {
                Dobs::Texts(texts) => match value(texts, at) {
                    Ok(text) => {
                        written_day(text).map_or(Err(Some(text.into())), |day| Ok(day.into()))
                    }
                    Err(_) => Err(None),
                },
                Dobs::Days(days) if days.is_null(at) => Err(None),
                Dobs::Days(days) => Ok(day(days.value(at))),
            },
            fight_skills: match &self.skills {
                Skills::Lists(lists, _) if lists.is_null(at) => Err(None),
                Skills::Lists(lists, items) => Ok(items_of(lists, items, at)
                    .map(|item| item.map(Cow::Borrowed))
                    .collect()),
                Skills::Texts(texts, form) => read(text(texts, at), *form),
            },
            created_at: (self.created_at)
                .filter(|times| !times.is_null(at))
                .map(|times| time(times.value(at))),
        })
    }
}

fn text(texts: &StringArray, at: usize) -> Option<Cow<'_, str>> {
    (!texts.is_null(at)).then(|| texts.value(at).into())
}

fn read<'r>(text: Option<Cow<'r, str>>, form: SkillsText) -> Value<'r, Texts<'r>> {
    let Some(text) = text else { return Err(None) };
    match skills_of(&text, form) {
        Ok(skills) => Ok(skills
            .into_iter()
            .map(|skill| skill.map(Cow::Owned))
            .collect()),
        Err(NotJson) => Err(Some(text)),
    }
}

fn day(day: i32) -> i64 {
    match (written::is_infinite_day(day), day > 0) {
        (true, true) => i64::MAX,
        (true, false) => i64::MIN,
        (false, _) => day.into(),
    }
}

fn time(time: i64) -> i128 {
    match (written::is_infinite_time(time), time > 0) {
        (true, true) => i128::MAX,
        (true, false) => i128::MIN,
        (false, _) => time.into(),
    }
}

#[cfg(test)]
pub(in crate::migrate) mod tests {
    use super::*;

    pub(in crate::migrate) fn row() -> Canonical<'static> {
        Canonical {
            id: Uuid::from_u128(7),
            name: Some("Ada".into()),
            dob: Ok(-1),
            fight_skills: Ok(vec![Some("a".into()), Some("b".into())]),
            created_at: Some(1),
        }
    }

    #[test]
    fn rows_are_equal_only_when_every_value_is() {
        type Change = fn(&mut Canonical<'static>);
        let changes: [(Change, &str); 7] = [
            (|row| row.name = None, "name"),
            (|row| row.dob = Err(None), "dob"),
            (|row| row.dob = Err(Some("1969-12-31 ".into())), "dob"),
            (
                |row| row.fight_skills = Ok(vec![Some("ab".into())]),
                "fight_skills",
            ),
            (
                |row| row.fight_skills = Ok(vec![Some("b".into()), Some("a".into())]),
                "fight_skills",
            ),
            (|row| row.fight_skills = Ok(vec![None]), "fight_skills"),
            (|row| row.created_at = Some(2), "created_at"),
        ];
        assert_eq!(row().differing(&row().into_owned()), [""; 0]);
        let mut digests = vec![row().digest()];
        for (change, column) in changes {
            let mut changed = row();
            change(&mut changed);
            assert_eq!(row().differing(&changed), [column]);
            digests.push(changed.digest());
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 8);
    }

    #[test]
    fn infinities_are_beyond_every_day_and_time() {
        assert_eq!(
            (day(i32::MAX), day(-i32::MAX), day(-1)),
            (i64::MAX, i64::MIN, -1)
        );
        assert_eq!(
            (time(i64::MAX), time(-i64::MAX), time(-1)),
            (i128::MAX, i128::MIN, -1)
        );
    }

    #[test]
    fn skills_in_a_text_are_read_as_they_are_written() {
        let list =
            |texts: &[&'static str]| Ok(texts.iter().map(|text| Some((*text).into())).collect());
        assert_eq!(
            read(Some("[\"a,\", \"\"]".into()), SkillsText::Json),
            list(&["a,", ""])
        );
        assert_eq!(
            read(Some("[null]".into()), SkillsText::Json),
            Ok(vec![None])
        );
        for other in ["[1]", "{}", "\"a\"", "[\"a\"", "[\"\\ud800\"]", "null", ""] {
            assert_eq!(
                read(Some(other.into()), SkillsText::Json),
                Err(Some(other.into()))
            );
        }
        assert_eq!(
            read(Some("a , b".into()), SkillsText::Comma),
            list(&["a", "b"])
        );
        assert_eq!(read(Some(" ".into()), SkillsText::Comma), list(&[]));
        assert_eq!(read(None, SkillsText::Comma), Err(None));
    }
}
