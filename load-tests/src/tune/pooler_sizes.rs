//! What goes before `default_pool_size` in a pgbouncer.ini: sizes of one database or one user, and ceilings.
//!
//! PgBouncer takes the size of the user (`[users]`, since 1.24), else that of the database, else the default; and opens no
//! more than `max_db_connections` and `max_user_connections` allow (its manual, "Section [databases]", "Section [users]").

use anyhow::bail;

/// The login of the API, which decides whose sizes count.
pub(super) struct Login {
    pub(super) database: String,
    pub(super) user: String,
}

/// A setting that goes before the default.
#[derive(Debug, PartialEq)]
struct Setting {
    /// The number of its line, from 1.
    line: usize,
    /// Whose setting it is, for reading.
    of: String,
    key: String,
    value: u32,
}

/// Asks whether `default_pool_size` is what sizes the pool of this login.
///
/// # Errors
/// Names the line of what does instead, and what to write there.
pub(super) fn check(ini: &str, login: &Login, default_pool_size: u32) -> anyhow::Result<()> {
    for setting in settings(ini, login) {
        let Setting {
            line,
            of,
            key,
            value,
        } = setting;
        match key.as_str() {
            "pool_size" => bail!(
                "line {line}: pool_size={value} of {of} takes the place of default_pool_size, so that no other size would \
                 count; take it out there, and set default_pool_size = {value} in [pgbouncer]"
            ),
            _ if value > 0 && value < default_pool_size => bail!(
                "line {line}: {key} = {value} of {of} lets no more than {value} of default_pool_size = \
                 {default_pool_size} connections be opened, so that no greater size would count; raise it above the sizes to \
                 try, or set default_pool_size = {value}"
            ),
            _ => {}
        }
    }
    Ok(())
}

/// Ceilings that greater sizes than the default may meet, for reading.
pub(super) fn ceilings(ini: &str, login: &Login, default_pool_size: u32) -> Vec<String> {
    let settings = settings(ini, login).into_iter();
    let binding = settings
        .filter(|setting| setting.key != "pool_size" && setting.value >= default_pool_size.max(1));
    binding
        .map(
            |Setting {
                 line,
                 of,
                 key,
                 value,
             }| {
                format!(
                    "line {line}: {key} = {value} of {of}: no pool above {value} was more than that"
                )
            },
        )
        .collect()
}

/// The settings that go before the default for a login, in the order of their lines.
fn settings(ini: &str, login: &Login) -> Vec<Setting> {
    let names_database = entries(ini).any(|entry| entry.is("databases", &login.database));
    let mut found = Vec::new();
    for entry in entries(ini) {
        let (keys, of): (&[&str], _) = match entry.section {
            // A database that has no entry of its own is that of `*`.
            "databases" if entry.name == login.database || entry.name == "*" && !names_database => {
                (
                    &["pool_size", "max_db_connections"],
                    format!("database {}", entry.name),
                )
            }
            "users" if entry.name == login.user => (
                &["pool_size", "max_user_connections"],
                format!("user {}", entry.name),
            ),
            "pgbouncer"
                if ["max_db_connections", "max_user_connections"].contains(&&*entry.name) =>
            {
                found.extend(entry.value.parse().ok().map(|value| Setting {
                    line: entry.line,
                    of: "every pool".to_owned(),
                    key: entry.name.clone(),
                    value,
                }));
                continue;
            }
            _ => continue,
        };
        let pairs = pairs(entry.value).into_iter();
        found.extend(pairs.filter_map(|(key, value)| {
            Some(Setting {
                line: entry.line,
                of: of.clone(),
                value: value.parse().ok().filter(|_| keys.contains(&&*key))?,
                key,
            })
        }));
    }
    found
}

/// A line `name = value` of a section.
struct Entry<'i> {
    line: usize,
    section: &'i str,
    name: String,
    value: &'i str,
}

impl Entry<'_> {
    fn is(&self, section: &str, name: &str) -> bool {
        self.section == section && self.name == name
    }
}

fn entries(ini: &str) -> impl Iterator<Item = Entry<'_>> {
    let mut section = "";
    (1..).zip(ini.lines()).filter_map(move |(line, text)| {
        let text = text.trim();
        if let Some(name) = text.strip_prefix('[') {
            section = name.trim_end_matches(']').trim();
        }
        if text.starts_with([';', '#', '[']) {
            return None;
        }
        let (name, value) = name_of(text)?;
        Some(Entry {
            line,
            section,
            name,
            value: value.trim_start().strip_prefix('=')?.trim(),
        })
    })
}

/// The name that a line begins with, and what follows it; a quoted name may hold anything.
fn name_of(text: &str) -> Option<(String, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted_to('"', quoted),
        None => {
            let end = text.find(|c: char| c == '=' || c.is_whitespace())?;
            Some((text[..end].to_owned(), &text[end..]))
        }
    }
}

/// A text up to its closing quote, where two of them stand for one; and what follows it.
fn quoted_to(quote: char, text: &str) -> Option<(String, &str)> {
    let (mut value, mut rest) = (String::new(), text);
    loop {
        let end = rest.find(quote)?;
        value.push_str(&rest[..end]);
        rest = &rest[end + quote.len_utf8()..];
        match rest.strip_prefix(quote) {
            Some(more) => {
                value.push(quote);
                rest = more;
            }
            None => return Some((value, rest)),
        }
    }
}

/// The `key=value` pairs of a connection string; those before a fault, where it has one.
fn pairs(text: &str) -> Vec<(String, String)> {
    let (mut pairs, mut rest) = (Vec::new(), text.trim_start());
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let value = match after.strip_prefix('\'') {
            Some(quoted) => quoted_to('\'', quoted),
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                Some((after[..end].to_owned(), &after[end..]))
            }
        };
        let Some((value, next)) = value else { break };
        pairs.push((key.trim().to_owned(), value));
        rest = next.trim_start();
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ini: &str) -> String {
        let login = Login {
            database: "warrior_api".to_owned(),
            user: "warrior".to_owned(),
        };
        check(ini, &login, 20).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn what_goes_before_the_default_is_named_with_its_line() {
        for (ini, words) in [
            (
                "[databases]\nwarrior_api = host=db pool_size=5\n",
                [
                    "line 2: pool_size=5 of database warrior_api",
                    "default_pool_size = 5",
                ],
            ),
            (
                ";; mine\r\n[databases]\r\n* = host='a b''c' password='pool_size=9' pool_size = '7'\r\n",
                ["line 3: pool_size=7 of database *", "take it out"],
            ),
            (
                "[databases]\n\"warrior_api\"=pool_size=5\n",
                ["line 2: pool_size=5 of database warrior_api", ""],
            ),
            (
                "[databases]\nwarrior_api = host=db\n[users]\nwarrior = pool_mode=session pool_size=3\n",
                ["line 4: pool_size=3 of user warrior", ""],
            ),
            (
                "[databases]\n* = host=db max_db_connections=8\n",
                ["line 2: max_db_connections = 8 of database *", "raise it"],
            ),
            (
                "[databases]\n* = host=db\n[pgbouncer]\nmax_user_connections = 19\n",
                ["line 4: max_user_connections = 19 of every pool", ""],
            ),
        ] {
            let said = said(ini);
            assert!(
                words.iter().all(|word| said.contains(word)),
                "{ini}: {said}"
            );
        }
    }

    #[test]
    fn what_is_not_of_this_login_or_does_not_bind_is_no_reason() {
        for ini in [
            "[databases]\nwarrior_api = host=db\n* = host=db pool_size=5\nother = pool_size=1\n",
            "[databases]\n;warrior_api = pool_size=5\nwarrior_api = host=db password='pool_size=1'\n",
            "[databases]\n* = host=db min_pool_size=5 reserve_pool=1\n[users]\nother = pool_size=1\n",
            "[databases]\n* = max_db_connections=0\n[pgbouncer]\nmax_db_connections = 20\ndefault_pool_size = 20\n",
            "[peers]\n1 = host=a pool_size=2\n",
            "",
            "[databases\n= \n* =\nx = 'y",
        ] {
            assert_eq!(said(ini), "", "{ini}");
        }
    }

    #[test]
    fn a_ceiling_above_the_default_is_said() {
        let login = Login {
            database: "a".to_owned(),
            user: "b".to_owned(),
        };
        let ini = "[databases]\na = max_db_connections=40\n[users]\nb = max_user_connections=0\n";
        let said = ceilings(ini, &login, 20);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("line 2: max_db_connections = 40"),
            "{said:?}"
        );
    }
}
