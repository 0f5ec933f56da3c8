//! Binary decoding: PostgreSQL's values, written as the contract has them.
//!
//! Columns come as they are stored, since text made by the database (`to_json(dob) #>> '{}'` and the like) costs it
//! more than everything else about a row. What is written is what `to_json` writes, whatever `DateStyle` and `TimeZone`
//! are, infinity and BC included.

use std::error::Error;

use postgres::types::{FromSql, Type};

use crate::store::calendar;

type Broken = Box<dyn Error + Sync + Send>;

/// A `date`: `1985-03-12`, `0044-03-15 BC`, `infinity`.
#[derive(Debug, PartialEq, Eq)]
pub struct Date(pub String);

/// A `timestamptz` in UTC: `2020-02-03T04:05:06.789Z`, `infinity`.
#[derive(Debug, PartialEq, Eq)]
pub struct Moment(pub String);

/// A `text[]`. A nested array, which only other ways than the API can bring in, has no form in the
/// contract and is flattened.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts<'r>(pub Vec<Option<&'r str>>);

impl<'a> FromSql<'a> for Date {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Broken> {
        Ok(Self(match i32::from_be_bytes(raw.try_into()?) {
            i32::MAX => calendar::INFINITY.to_owned(),
            i32::MIN => calendar::MINUS_INFINITY.to_owned(),
            days => calendar::date(i64::from(days)),
        }))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::DATE
    }
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Broken> {
        Ok(Self(match i64::from_be_bytes(raw.try_into()?) {
            i64::MAX => calendar::INFINITY.to_owned(),
            i64::MIN => calendar::MINUS_INFINITY.to_owned(),
            micros => calendar::moment(micros),
        }))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TIMESTAMPTZ
    }
}

impl<'a> FromSql<'a> for Texts<'a> {
    /// The number of dimensions, whether there are NULLs, the type of the elements; for each dimension its
    /// length and lower bound; then the elements, the last dimension fastest, each after its length.
    fn from_sql(_: &Type, mut raw: &'a [u8]) -> Result<Self, Broken> {
        let dimensions = int(&mut raw)?;
        let (_nulls, _element) = (int(&mut raw)?, int(&mut raw)?);
        let mut items = usize::from(dimensions > 0);
        for _ in 0..dimensions {
            items = items.saturating_mul(int(&mut raw)?.try_into()?);
            let _lower_bound = int(&mut raw)?;
        }
        // No more room than the bytes can fill, whatever the lengths say.
        let mut texts = Vec::with_capacity(items.min(raw.len() / 4));
        for _ in 0..items {
            texts.push(match int(&mut raw)? {
                -1 => None,
                len => {
                    let (text, rest) = raw
                        .split_at_checked(len.try_into()?)
                        .ok_or("an array ends within an element")?;
                    raw = rest;
                    Some(str::from_utf8(text)?)
                }
            });
        }
        Ok(Self(texts))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT_ARRAY
    }
}

fn int(raw: &mut &[u8]) -> Result<i32, Broken> {
    let (int, rest) = raw
        .split_first_chunk()
        .ok_or("an array ends within a number")?;
    *raw = rest;
    Ok(i32::from_be_bytes(*int))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::calendar::MICROS_IN_DAY;

    fn date(days: i32) -> String {
        Date::from_sql(&Type::DATE, &days.to_be_bytes()).unwrap().0
    }

    fn moment(micros: i64) -> String {
        let raw = micros.to_be_bytes();
        Moment::from_sql(&Type::TIMESTAMPTZ, &raw).unwrap().0
    }

    #[test]
    fn days_are_written_as_postgresql_writes_them() {
        for (days, written) in [
            (0, "2000-01-01"),
            (59, "2000-02-29"),
            (60, "2000-03-01"),
            (-1, "1999-12-31"),
            (-36_465, "1900-03-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (2_921_939, "9999-12-31"),
            (2_921_940, "10000-01-01"),
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
        ] {
            assert_eq!(date(days), written, "{days}");
        }
    }

    #[test]
    fn moments_are_written_as_postgresql_writes_them() {
        for (micros, written) in [
            (0, "2000-01-01T00:00:00Z"),
            (1, "2000-01-01T00:00:00.000001Z"),
            (-1, "1999-12-31T23:59:59.999999Z"),
            (3_723_120_000, "2000-01-01T01:02:03.12Z"),
            (-730_120 * MICROS_IN_DAY, "0001-12-31T00:00:00Z BC"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
        ] {
            assert_eq!(moment(micros), written, "{micros}");
        }
    }

    #[test]
    fn broken_bytes_are_refused() {
        fn texts(raw: &[u8]) -> Result<Texts<'_>, Broken> {
            Texts::from_sql(&Type::TEXT_ARRAY, raw)
        }
        let one = |len: i32| {
            let ints = [1, 0, 25, 1, 1, len].map(i32::to_be_bytes);
            [ints.as_flattened(), b"abc"].concat()
        };
        assert_eq!(texts(&one(3)).unwrap().0, [Some("abc")]);
        assert_eq!(texts(&one(-1)).unwrap().0, [None]);
        assert!(texts(&one(4)).is_err());
        assert!(texts(&one(-2)).is_err());
        assert!(texts(&one(3)[..20]).is_err());
        let many = [2, 0, 25, i32::MAX, 1, i32::MAX, 1].map(i32::to_be_bytes);
        assert!(texts(many.as_flattened()).is_err());
        assert!(Date::from_sql(&Type::DATE, &[0; 3]).is_err());
        assert!(Moment::from_sql(&Type::TIMESTAMPTZ, &[0; 9]).is_err());
    }
}
