//! Text with fields, for requests to any API: `{{seq}}`, `{{uuid}}`, `{{int 1 100}}`,
//! `{{letters 1 50}}`, and `{{column}}` of a file with one JSON object per line.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value};

use super::warrior::letters_and_spaces;

/// A text whose fields are filled for each request.
#[derive(Clone, Debug)]
pub struct Template(Vec<TemplatePart>);

/// The rows that `{{column}}` draws from: request `n` takes row `n` modulo their number.
#[derive(Clone, Debug, Default)]
pub struct Rows(Arc<Vec<Map<String, Value>>>);

impl Template {
    /// Reads the fields in `text`; `rows` says which columns exist.
    pub fn parse(text: &str, rows: &Rows) -> anyhow::Result<Template> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let close = rest[open..].find("}}").with_context(|| {
                format!("`{}` opens a field and never closes it", &rest[open..])
            })?;
            parts.push(TemplatePart::Text(rest[..open].to_owned()));
            parts.push(TemplatePart::field(
                rest[open + 2..open + close].trim(),
                rows,
            )?);
            rest = &rest[open + close + 2..];
        }
        parts.push(TemplatePart::Text(rest.to_owned()));
        Ok(Template(parts))
    }

    /// The text of request number `index`.
    pub fn fill(&self, index: u64, random: &mut Pcg64Mcg, rows: &Rows) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                TemplatePart::Text(fixed) => text.push_str(fixed),
                TemplatePart::Seq => text.push_str(&index.to_string()),
                TemplatePart::Uuid => {
                    let id = uuid::Builder::from_random_bytes(random.random()).into_uuid();
                    text.push_str(&id.to_string());
                }
                TemplatePart::Int(least, most) => {
                    text.push_str(&random.random_range(*least..=*most).to_string());
                }
                TemplatePart::Letters(least, most) => {
                    text.push_str(&letters_and_spaces(random, *least, *most));
                }
                TemplatePart::Column(name) => match rows.value(index, name) {
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value) => text.push_str(&value.to_string()),
                    None => {}
                },
            }
        }
        text
    }
}

impl Rows {
    /// Reads a file of JSON objects, one a line.
    pub fn read(path: &Path) -> anyhow::Result<Rows> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the fields file {}", path.display()))?;
        let mut rows: Vec<Map<String, Value>> = Vec::new();
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let row: Map<String, Value> = serde_json::from_str(line).with_context(|| {
                format!(
                    "{} line {}: want one JSON object",
                    path.display(),
                    index + 1
                )
            })?;
            if let Some(first) = rows.first() {
                ensure!(
                    first.keys().eq(row.keys()),
                    "{} line {}: its keys differ from the first line's",
                    path.display(),
                    index + 1
                );
            }
            rows.push(row);
        }
        ensure!(
            !rows.is_empty(),
            "{} holds no line; want JSON objects",
            path.display()
        );
        Ok(Rows(Arc::new(rows)))
    }

    fn value(&self, index: u64, column: &str) -> Option<&Value> {
        let row = self
            .0
            .get(usize::try_from(index).ok()? % self.0.len().max(1))?;
        row.get(column)
    }
}

#[derive(Clone, Debug)]
enum TemplatePart {
    Text(String),
    Seq,
    Uuid,
    Int(i64, i64),
    Letters(usize, usize),
    Column(String),
}

impl TemplatePart {
    fn field(field: &str, rows: &Rows) -> anyhow::Result<TemplatePart> {
        let words: Vec<&str> = field.split_whitespace().collect();
        match words[..] {
            ["seq"] => Ok(TemplatePart::Seq),
            ["uuid"] => Ok(TemplatePart::Uuid),
            ["int", least, most] => {
                let (least, most) = bounds(field, least, most)?;
                Ok(TemplatePart::Int(least, most))
            }
            ["letters", least, most] => {
                let (least, most) = bounds(field, least, most)?;
                Ok(TemplatePart::Letters(least, most))
            }
            [column] if rows.0.first().is_some_and(|row| row.contains_key(column)) => {
                Ok(TemplatePart::Column(column.to_owned()))
            }
            _ => bail!(
                "unknown field `{{{{{field}}}}}`; want seq, uuid, int A B, letters A B, \
                 or a key of the fields file"
            ),
        }
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
    use crate::schedule::stream;

    #[test]
    fn fields_are_filled_the_same_way_for_the_same_seed() {
        let rows = Rows(Arc::new(vec![
            serde_json::from_str(r#"{"user":"ann","age":3}"#).expect("an object"),
            serde_json::from_str(r#"{"user":"bob","age":4}"#).expect("an object"),
        ]));
        let template = Template::parse("/u/{{user}}/{{ age }}?n={{seq}}&i={{int 5 5}}", &rows)
            .expect("every field is known");
        let fill = |n| template.fill(n, &mut stream(1, 2, n), &rows);
        assert_eq!(fill(0), "/u/ann/3?n=0&i=5");
        assert_eq!(fill(3), "/u/bob/4?n=3&i=5");
        let random = Template::parse("{{uuid}} {{letters 1 9}}", &rows).expect("known fields");
        let once = random.fill(7, &mut stream(1, 2, 7), &rows);
        assert_eq!(once, random.fill(7, &mut stream(1, 2, 7), &rows));
        assert!(once[..36].parse::<uuid::Uuid>().is_ok(), "{once}");
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = Template::parse("{{nmae}}", &Rows::default()).expect_err("unknown");
        assert!(error.to_string().contains("nmae"), "{error}");
        assert!(Template::parse("{{int 9 1}}", &Rows::default()).is_err());
        assert!(Template::parse("{{seq", &Rows::default()).is_err());
    }
}
