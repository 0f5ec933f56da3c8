//! The dialect of `.env`: what Docker Compose v2 and docker-compose 1.29 read alike.
//!
//! One file serves this program and compose, so a value must not depend on the reader. The two agree on
//! comments, `export`, blanks around `=`, single and double quotes, line ends inside quotes, a byte order
//! mark, CRLF, and the last of two entries. Where they differ, a value would change in silence: a `$` is
//! interpolated by v2, kept by 1.29 unless it begins `${`; escapes differ by quote. Such a value is an error
//! that names its variable, and is one only if the variable is read.

use std::collections::BTreeMap;

/// A value, or the reason why the two readers differ.
type Value = Result<String, &'static str>;

/// A fault of a file or a value. The sentence shows neither line nor value: both may hold a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(".env, line {line}: {why}")]
pub(super) struct Fault {
    /// Where the entry begins, from 1.
    line: usize,
    why: String,
}

/// Values by name.
pub(super) type Values = BTreeMap<String, String>;

const MALFORMED: &str = "it is no NAME=value, NAME='value' or # comment; a value with a line end in it stands in \
     quotes, and nothing but a comment follows the closing one";
const DOLLAR: &str = "holds a $, which Docker Compose v2 expands and docker-compose 1 keeps; put the value in single \
     quotes, and if it holds ${ put it into a file and name that by the variable with _FILE";
const BACKSLASH: &str = "holds a backslash that Docker Compose v2 and docker-compose 1 read in two ways; leave the \
     quotes out, or put the value into a file and name that by the variable with _FILE";
const BLANK: &str = "holds a # after a blank that is no space, which is a comment to docker-compose 1 alone; put the \
     value in single quotes";

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

/// Reads the text of a file. Entries that `is_read` does not know must be well-formed, and are left out.
///
/// # Errors
/// The first entry that is malformed, or ambiguous and read.
pub(super) fn parse(text: &str, is_read: impl Fn(&str) -> bool) -> Result<Values, Fault> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = Reader {
        rest: &text,
        line: 1,
    };
    let mut values = Values::new();
    while let Some((line, name, value)) = reader.entry()? {
        match value {
            _ if !is_read(name) => {}
            Ok(value) => drop(values.insert(name.to_owned(), value)),
            Err(why) => {
                let why = format!("{name} {why}");
                return Err(Fault { line, why });
            }
        }
    }
    Ok(values)
}

impl<'t> Reader<'t> {
    /// The next entry with a value: its line, name and value.
    fn entry(&mut self) -> Result<Option<(usize, &'t str, Value)>, Fault> {
        loop {
            self.skip(self.rest.len() - self.rest.trim_start().len());
            if self.rest.is_empty() {
                return Ok(None);
            }
            let line = self.line;
            let head = self.rest_of_line();
            if head.starts_with('#') {
                self.skip(head.len());
                continue;
            }
            let (before, has_value) = match head.split_once('=') {
                Some((before, _)) => (before, true),
                None => (head, false),
            };
            let name = without_export(before).trim();
            // A carriage return alone ends a line to 1.29 only.
            if name.is_empty() || !name.chars().all(in_name) || head.contains('\r') {
                return Err(self.malformed(line));
            }
            if !has_value {
                // A name alone stands for the value in the environment, which has precedence anyway.
                self.skip(head.len());
                continue;
            }
            self.skip(before.len() + 1);
            self.skip(self.rest_of_line().len() - self.rest_of_line().trim_start().len());
            let value = match self.rest.chars().next() {
                Some(quote @ ('\'' | '"')) => {
                    self.quoted(quote).ok_or_else(|| self.malformed(line))?
                }
                _ => self.unquoted(),
            };
            return Ok(Some((line, name, value)));
        }
    }

    fn unquoted(&mut self) -> Value {
        let line = self.rest_of_line();
        self.skip(line.len());
        let value = line
            .split_once(" #")
            .map_or(line, |(value, _)| value)
            .trim_end();
        let comment = |(i, _): (usize, _)| value[..i].ends_with(char::is_whitespace);
        match value {
            _ if value.contains('$') => Err(DOLLAR),
            _ if value.match_indices('#').any(comment) => Err(BLANK),
            _ => Ok(value.to_owned()),
        }
    }

    /// None when the closing quote is missing, or something follows it.
    fn quoted(&mut self, quote: char) -> Option<Value> {
        let mut escaped = false;
        let end = self.rest[1..].find(|c| {
            let closes = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        let inner = &self.rest[1..=end];
        self.skip(end + 2);
        let after = self.rest_of_line();
        self.skip(after.len());
        let after = after.trim_start();
        (after.is_empty() || after.starts_with('#')).then(|| match quote {
            '\'' => single(inner),
            _ => double(inner),
        })
    }

    fn rest_of_line(&self) -> &'t str {
        self.rest.split('\n').next().unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn malformed(&self, line: usize) -> Fault {
        let why = MALFORMED.to_owned();
        Fault { line, why }
    }
}

fn single(inner: &str) -> Value {
    match inner {
        _ if inner.contains("${") => Err(DOLLAR),
        // v2 knows `\'` alone, 1.29 `\\` as well.
        _ if inner.contains(r"\\") => Err(BACKSLASH),
        _ => Ok(inner.replace(r"\'", "'")),
    }
}

fn double(inner: &str) -> Value {
    // 1.29 takes the last two characters of `"x\\"` for an escaped quote.
    if inner.ends_with('\\') {
        return Err(BACKSLASH);
    }
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => return Err(DOLLAR),
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(c @ ('\\' | '"')) => value.push(c),
                Some('$') => return Err(DOLLAR),
                // Both readers know more escapes, and not the same ones.
                None | Some('a' | 'b' | 'c' | 'f' | 'v' | '0' | '\'') => return Err(BACKSLASH),
                Some(c) => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    Ok(value)
}

fn without_export(name: &str) -> &str {
    name.strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .unwrap_or(name)
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || "_.-".contains(c)
}

#[cfg(test)]
mod tests;
