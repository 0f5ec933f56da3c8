//! Strict JSON: one rule for the whole of a body, whatever key a value stands under.
//!
//! The body is UTF-8 and one JSON object. No object in it names a key twice, and no string holds half of a surrogate
//! pair: readers differ on what these mean (RFC 8259, sections 4 and 8.2). Values nest at most 127 deep, the body's
//! own braces being the first (section 9). Numbers are of any size. All else about unknown keys is ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::FIELDS;

/// A JSON value, as far as a warrior can be made of it.
pub(super) enum Json {
    Text(String),
    List(Vec<Json>),
    Other,
}

/// The keys of a JSON object that are known, before any of them is judged.
#[derive(Default)]
pub(super) struct Fields(BTreeMap<&'static str, Json>);

impl Fields {
    pub(super) fn take(&mut self, field: &str) -> Option<Json> {
        self.0.remove(field)
    }
}

/// Reads a body.
///
/// # Errors
/// Why it is not one JSON object that everybody reads alike.
pub(super) fn read(body: &[u8]) -> Result<Fields, String> {
    let text = str::from_utf8(body)
        .map_err(|e| format!("the body is not UTF-8 at byte {}", e.valid_up_to() + 1))?;
    let fields = serde_json::from_str(text).or_else(|_| {
        // serde_json refuses a number that no f64 can hold, before anybody is asked for it.
        serde_json::from_str::<IgnoredAny>(text)?;
        serde_json::from_str(&with_small_numbers(text))
    });
    fields.map_err(|e: serde_json::Error| e.to_string())
}

/// JSON with a zero in the place of each number, and blanks behind it: errors keep their column.
fn with_small_numbers(json: &str) -> String {
    let (mut in_string, mut escaped, mut in_number) = (false, false, false);
    let zeroed = json.chars().map(|c| {
        let number =
            !in_string && (c.is_ascii_digit() || "+-.eE".contains(c) && (in_number || c == '-'));
        let first = number && !in_number;
        in_number = number;
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        match (number, first) {
            (true, true) => '0',
            (true, false) => ' ',
            (false, _) => c,
        }
    });
    zeroed.collect()
}

/// Reads an object, and gives each of its keys and values to `keep`.
fn members<'de, M: MapAccess<'de>>(
    mut map: M,
    mut keep: impl FnMut(&str, Json),
) -> Result<(), M::Error> {
    let mut keys = BTreeSet::new();
    while let Some((key, value)) = map.next_entry::<String, Json>()? {
        keep(&key, value);
        if let Some(twice) = keys.replace(key) {
            let shown: String = twice.chars().take(40).collect();
            return Err(M::Error::custom(format_args!(
                "the key {shown:?} is given twice"
            )));
        }
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a JSON object with the keys {}", FIELDS.join(", "))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Fields, M::Error> {
        let mut fields = Fields::default();
        members(map, |key, value| {
            if let Some(known) = FIELDS.into_iter().find(|known| *known == key) {
                fields.0.insert(known, value);
            }
        })?;
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Json, S::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Json, M::Error> {
        members(map, |_, _| {})?;
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }
}
