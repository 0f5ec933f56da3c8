//! The places of a request that values go to, and how each is written there: no value may end the place it stands in.

use std::fmt::Write;

use anyhow::bail;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The text that a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Path and query.
    Path,
    /// The value of a header field.
    Header,
    /// A body of JSON.
    Json,
    /// A body of `application/x-www-form-urlencoded`.
    Form,
    /// A body of XML or HTML.
    Markup,
    /// Any other body, which takes values as they are.
    Text,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// As it is.
    Raw,
    /// Percent-encoded.
    Percent,
    /// Percent-encoded, a space as a plus.
    Form,
    /// Inside of a JSON string.
    JsonString,
    /// Where JSON wants a value: a string with its quotes.
    JsonValue,
    /// With the five characters of markup as entities.
    Markup,
}

impl Place {
    /// The place that a body is, by its media type, or else by its first character.
    pub fn of_body(media_type: Option<&str>, body: &str) -> Place {
        let media_type = media_type.map(str::to_ascii_lowercase);
        match media_type.as_deref() {
            Some(json) if json.contains("json") => Place::Json,
            Some(form) if form.contains("x-www-form-urlencoded") => Place::Form,
            Some(markup) if markup.contains("xml") || markup.contains("html") => Place::Markup,
            None if body.trim_start().starts_with(['{', '[']) => Place::Json,
            _ => Place::Text,
        }
    }

    /// How a value is written after this much of the text.
    pub(super) fn writing(self, before: &str) -> Writing {
        match self {
            Place::Path => Writing::Percent,
            Place::Form => Writing::Form,
            Place::Markup => Writing::Markup,
            Place::Header | Place::Text => Writing::Raw,
            Place::Json if ends_in_string(before) => Writing::JsonString,
            Place::Json => Writing::JsonValue,
        }
    }
}

/// Whether a JSON text ends inside of a string.
fn ends_in_string(text: &str) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
    }
    inside
}

impl Writing {
    /// Writes a text that a field drew.
    pub(super) fn text(self, value: &str, to: &mut String) {
        // Writing to a string cannot fail.
        let _written = match self {
            Writing::Raw => to.write_str(value),
            Writing::Percent => write!(to, "{}", utf8_percent_encode(value, RESERVED)),
            Writing::Form => {
                let encoded = utf8_percent_encode(value, RESERVED).to_string();
                to.write_str(&encoded.replace("%20", "+"))
            }
            Writing::JsonString => {
                let quoted = Value::from(value).to_string();
                to.write_str(&quoted[1..quoted.len() - 1])
            }
            Writing::JsonValue => write!(to, "{}", Value::from(value)),
            Writing::Markup => {
                to.write_str(&maud::html! { (value) }.into_string().replace('\'', "&#39;"))
            }
        };
    }

    /// Writes a value of a row.
    ///
    /// # Errors
    /// When only JSON has a way to write it.
    pub(super) fn value(self, value: &Value, to: &mut String) -> anyhow::Result<()> {
        match value {
            Value::String(text) => self.text(text, to),
            Value::Number(_) | Value::Bool(_) => to.push_str(&value.to_string()),
            _ if self == Writing::JsonValue => to.push_str(&value.to_string()),
            Value::Null => bail!("null can only stand where a JSON body wants a value"),
            Value::Array(_) | Value::Object(_) => {
                bail!("{value} can only stand where a JSON body wants a value")
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WILD: &str = "a b/c?d=1&e#f%\"g\\h\ni<j>\u{e9}+";

    #[test]
    fn every_place_gives_the_value_back() {
        let written = |writing: Writing| {
            let mut text = String::new();
            writing.text(WILD, &mut text);
            text
        };
        let percent = written(Writing::Percent);
        assert!(
            percent
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"/?&#+\"".contains(&byte))
        );
        let read = percent_encoding::percent_decode_str(&percent).decode_utf8();
        assert_eq!(read.expect("UTF-8"), WILD);
        let form = written(Writing::Form).replace('+', " ");
        let read = percent_encoding::percent_decode_str(&form).decode_utf8();
        assert_eq!(read.expect("UTF-8"), WILD);
        for json in [
            format!("\"{}\"", written(Writing::JsonString)),
            written(Writing::JsonValue),
        ] {
            assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), WILD);
        }
        let markup = written(Writing::Markup);
        assert!(
            !markup.contains(['<', '>', '"', '\'']) && markup.contains("&amp;e"),
            "{markup}"
        );
        assert_eq!(written(Writing::Raw), WILD);
    }

    #[test]
    fn a_body_is_what_its_media_type_says_and_else_what_it_looks_like() {
        for (media_type, body, place) in [
            (Some("application/json; charset=utf-8"), "x", Place::Json),
            (Some("application/problem+JSON"), "x", Place::Json),
            (Some("application/x-www-form-urlencoded"), "{", Place::Form),
            (Some("text/xml"), "<a/>", Place::Markup),
            (Some("text/csv"), "{", Place::Text),
            (None, " [1]", Place::Json),
            (None, "a=b", Place::Text),
        ] {
            assert_eq!(Place::of_body(media_type, body), place, "{media_type:?}");
        }
    }

    #[test]
    fn only_a_json_value_holds_lists_and_nothing() {
        for value in [
            Value::Null,
            Value::from(vec![1]),
            serde_json::json!({ "a": 1 }),
        ] {
            let mut text = String::new();
            assert!(Writing::Percent.value(&value, &mut text).is_err());
            Writing::JsonValue.value(&value, &mut text).expect("JSON");
            assert_eq!(text, value.to_string());
        }
    }
}
