//! Text with fields, for requests to any API: `{{seq}}`, `{{uuid}}`, `{{int 1 100}}`, `{{letters 1 50}}`,
//! `{{column}}` of a file with one JSON object a line, and `{{raw column}}`, which is written as it is.

use anyhow::{Context, bail};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::place::{Place, Writing};
use super::rows::Rows;
use super::warrior::letters_and_spaces;

/// A text whose fields are filled for each request.
#[derive(Clone, Debug)]
pub struct Template(Vec<TemplatePart>);

impl Template {
    /// Reads the fields in `text`; `place` says how values are written into it, `rows` which columns exist.
    pub fn parse(text: &str, place: Place, rows: &Rows) -> anyhow::Result<Template> {
        let (mut parts, mut fixed, mut rest) = (Vec::new(), String::new(), text);
        while let Some(open) = rest.find("{{") {
            let close = rest[open..].find("}}").with_context(|| {
                format!("`{}` opens a field and never closes it", &rest[open..])
            })?;
            parts.push(TemplatePart::Text(rest[..open].to_owned()));
            fixed.push_str(&rest[..open]);
            let field = rest[open + 2..open + close].trim();
            let (field, writing) = match field.strip_prefix("raw ") {
                Some(field) => (field.trim(), Writing::Raw),
                None => (field, place.writing(&fixed)),
            };
            parts.push(TemplatePart::Value(Field::parse(field, rows)?, writing));
            rest = &rest[open + close + 2..];
        }
        parts.push(TemplatePart::Text(rest.to_owned()));
        Ok(Template(parts))
    }

    /// Whether a column of the rows is in it.
    pub fn draws_from_rows(&self) -> bool {
        let mut parts = self.0.iter();
        parts.any(|part| matches!(part, TemplatePart::Value(Field::Column(_), _)))
    }

    /// The text of request number `index`.
    ///
    /// # Errors
    /// When the row of that request holds a value that has no way to be written there.
    pub fn fill(&self, index: u64, random: &mut Pcg64Mcg, rows: &Rows) -> anyhow::Result<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                TemplatePart::Text(fixed) => text.push_str(fixed),
                TemplatePart::Value(field, writing) => {
                    field.write(*writing, index, random, rows, &mut text)?;
                }
            }
        }
        Ok(text)
    }
}

#[derive(Clone, Debug)]
enum TemplatePart {
    Text(String),
    Value(Field, Writing),
}

#[derive(Clone, Debug)]
enum Field {
    Seq,
    Uuid,
    Int(i64, i64),
    Letters(usize, usize),
    Column(String),
}

impl Field {
    fn parse(field: &str, rows: &Rows) -> anyhow::Result<Field> {
        let words: Vec<&str> = field.split_whitespace().collect();
        match words[..] {
            ["seq"] => Ok(Field::Seq),
            ["uuid"] => Ok(Field::Uuid),
            ["int", least, most] => {
                let (least, most) = bounds(field, least, most)?;
                Ok(Field::Int(least, most))
            }
            ["letters", least, most] => {
                let (least, most) = bounds(field, least, most)?;
                Ok(Field::Letters(least, most))
            }
            _ if rows.has(field) => Ok(Field::Column(field.to_owned())),
            _ => bail!(
                "unknown field `{{{{{field}}}}}`; want seq, uuid, int A B, letters A B, \
                 or a key of the fields file, `raw ` before it or not"
            ),
        }
    }

    fn write(
        &self,
        writing: Writing,
        index: u64,
        random: &mut Pcg64Mcg,
        rows: &Rows,
        text: &mut String,
    ) -> anyhow::Result<()> {
        match self {
            Field::Seq => text.push_str(&index.to_string()),
            Field::Uuid => {
                let id = uuid::Builder::from_random_bytes(random.random()).into_uuid();
                writing.text(&id.to_string(), text);
            }
            Field::Int(least, most) => {
                text.push_str(&random.random_range(*least..=*most).to_string());
            }
            Field::Letters(least, most) => {
                writing.text(&letters_and_spaces(random, *least, *most), text);
            }
            Field::Column(name) => {
                if let Some(value) = rows.value(index, name) {
                    let written = writing.value(value, text);
                    written.with_context(|| format!("field `{name}`"))?;
                }
            }
        }
        Ok(())
    }
}

fn bounds<T: std::str::FromStr + PartialOrd>(
    field: &str,
    least: &str,
    most: &str,
) -> anyhow::Result<(T, T)> {
    match (least.parse::<T>(), most.parse::<T>()) {
        (Ok(least), Ok(most)) if least <= most => Ok((least, most)),
        _ => bail!("`{{{{{field}}}}}` wants two whole numbers, the smaller first"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::InputFile;
    use crate::schedule::stream;

    fn rows(text: &str) -> Rows {
        let (path, text) = ("rows".into(), text.into());
        Rows::parse(&InputFile { path, text }).expect("objects")
    }

    #[test]
    fn fields_are_filled_the_same_way_for_the_same_seed() {
        let rows = rows("{\"user\":\"ann\",\"age\":3}\n\n{\"user\":\"b/b\",\"age\":4}\n");
        let text = "/u/{{user}}/{{ age }}?n={{seq}}&i={{int 5 5}}&{{raw user}}";
        let template = Template::parse(text, Place::Path, &rows).expect("every field is known");
        let fill = |n| {
            template
                .fill(n, &mut stream(1, 2, n), &rows)
                .expect("it fits")
        };
        assert_eq!(fill(0), "/u/ann/3?n=0&i=5&ann");
        assert_eq!(fill(3), "/u/b%2Fb/4?n=3&i=5&b/b");
        assert_eq!(rows.place(3).as_deref(), Some("rows line 3"));
        let random = Template::parse("{{uuid}} {{letters 1 9}}", Place::Text, &rows);
        let random = random.expect("known fields");
        let fill = || {
            random
                .fill(7, &mut stream(1, 2, 7), &rows)
                .expect("it fits")
        };
        let once = fill();
        assert_eq!(once, fill());
        assert!(once[..36].parse::<uuid::Uuid>().is_ok(), "{once}");
    }

    #[test]
    fn json_stays_json_inside_of_strings_and_outside() {
        let rows = rows(r#"{"n":"O\"Brien\n","l":[1,null],"b":true}"#);
        let text =
            r#"{"\"{{n}}":"{{n}} {{b}}","m":{{n}},"l":{{l}},"b":{{b}},"u":{{uuid}},"s":{{seq}}}"#;
        let template = Template::parse(text, Place::Json, &rows).expect("known fields");
        let body = template
            .fill(4, &mut stream(1, 2, 4), &rows)
            .expect("it fits");
        let value: serde_json::Value = serde_json::from_str(&body).expect(&body);
        assert_eq!(value["\"O\"Brien\n"], "O\"Brien\n true");
        assert_eq!(value["m"], "O\"Brien\n");
        assert_eq!(value["l"], serde_json::json!([1, null]));
        assert_eq!((&value["b"], &value["s"]), (&true.into(), &4.into()));
        assert!(value["u"].is_string(), "{body}");
    }

    #[test]
    fn an_unknown_field_is_named() {
        let none = Rows::default();
        let error = Template::parse("{{nmae}}", Place::Text, &none).expect_err("unknown");
        assert!(error.to_string().contains("nmae"), "{error}");
        assert!(Template::parse("{{int 9 1}}", Place::Text, &none).is_err());
        assert!(Template::parse("{{seq", Place::Text, &none).is_err());
    }
}
