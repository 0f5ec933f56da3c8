//! Columns of a result, as DuckDB hands them over in Arrow's layout, and the warriors in them.

use uuid::Uuid;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::arrow_array::types::{Date32Type, TimestampMicrosecondType};
use warrior_duckdb::arrow_array::{
    Array, Date32Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use super::error::malformed;
use crate::store::{StoreError, calendar};
use crate::warrior::{StoredWarrior, Warrior};

/// The columns of shared_columns.sql, in their order.
pub(super) struct Columns<'b> {
    ids: &'b StringArray,
    names: &'b StringArray,
    dobs: &'b Date32Array,
    skills: &'b ListArray,
    created_at: &'b TimestampMicrosecondArray,
}

impl<'b> Columns<'b> {
    /// # Errors
    /// When there are others.
    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self, StoreError> {
        let column = |number: usize| batch.columns().get(number);
        let read = || {
            Some(Self {
                ids: column(0)?.as_string_opt()?,
                names: column(1)?.as_string_opt()?,
                dobs: column(2)?.as_primitive_opt::<Date32Type>()?,
                skills: column(3)?.as_list_opt()?,
                created_at: column(4)?.as_primitive_opt::<TimestampMicrosecondType>()?,
            })
        };
        read().ok_or_else(|| malformed(&format!("columns came back as {:?}", batch.schema())))
    }

    /// # Errors
    /// When it is none.
    pub(super) fn id(&self, row: usize) -> Result<Uuid, StoreError> {
        id(self.ids, row)
    }

    /// The warrior in this row; `None` when the statement left out skills that are too large to be read.
    ///
    /// # Errors
    /// When its id is none.
    pub(super) fn warrior(&self, row: usize) -> Result<Option<Warrior<'b>>, StoreError> {
        if self.skills.is_null(row) {
            return Ok(None);
        }
        let skills = self.skills.value_offsets();
        let (from, to) = (skills[row], skills[row + 1]);
        let texts = self.skills.values().as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| malformed("skills are no texts"))?;
        let text = |at: i32| {
            let at = usize::try_from(at).unwrap_or_default();
            (!texts.is_null(at)).then(|| texts.value(at))
        };
        Ok(Some(Warrior {
            id: self.id(row)?,
            name: self.names.value(row),
            dob: date(self.dobs.value(row)),
            fight_skills: (from..to).map(text).collect(),
        }))
    }

    /// As [`Self::warrior`], with the time at which it was stored.
    ///
    /// # Errors
    /// When its id is none.
    pub(super) fn stored(&self, row: usize) -> Result<Option<StoredWarrior<'b>>, StoreError> {
        let times = self.created_at;
        let created_at = (!times.is_null(row)).then(|| moment(times.value(row)));
        let warrior = self.warrior(row)?;
        Ok(warrior.map(|warrior| StoredWarrior {
            warrior,
            created_at,
        }))
    }
}

/// # Errors
/// When it is no UUID.
pub(super) fn id(ids: &StringArray, row: usize) -> Result<Uuid, StoreError> {
    let parsed = Uuid::try_parse(ids.value(row));
    parsed.map_err(|_| malformed("an id is no UUID"))
}

/// Days from 1970-01-01; the largest and the smallest number that has a negative stand for infinity.
fn date(days: i32) -> String {
    match days {
        i32::MAX => calendar::INFINITY.to_owned(),
        days if days == -i32::MAX => calendar::MINUS_INFINITY.to_owned(),
        days => calendar::date(i64::from(days) - calendar::DAYS_1970_TO_2000),
    }
}

/// Microseconds from 1970-01-01 in UTC, as [`date`] otherwise.
fn moment(micros: i64) -> String {
    match micros {
        i64::MAX => calendar::INFINITY.to_owned(),
        micros if micros == -i64::MAX => calendar::MINUS_INFINITY.to_owned(),
        micros => calendar::moment(
            micros.saturating_sub(calendar::DAYS_1970_TO_2000 * calendar::MICROS_IN_DAY),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_written_as_from_postgresql() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-719_162), "0001-01-01");
        assert_eq!(date(-719_163), "0001-12-31 BC");
        assert_eq!(date(2_932_896), "9999-12-31");
        assert_eq!([date(i32::MAX), date(-i32::MAX)], ["infinity", "-infinity"]);
        assert_eq!(moment(1), "1970-01-01T00:00:00.000001Z");
        assert_eq!(moment(1_580_702_706_789_000), "2020-02-03T04:05:06.789Z");
        assert_eq!(
            [moment(i64::MAX), moment(-i64::MAX)],
            ["infinity", "-infinity"]
        );
    }
}
