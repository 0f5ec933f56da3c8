//! Names, texts and words as they are typed: in SQL, and in a shell.

/// The words that PostgreSQL takes for no name of a role or a database (its documentation, appendix C).
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
    collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema \
    current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign \
    freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like \
    limit localtime localtimestamp natural none not notnull null offset on only or order outer overlaps placing primary \
    public references returning right select session_user similar some symmetric system_user table tablesample then to \
    trailing true union unique user using variadic verbose when where window with";

/// A name as SQL and PgBouncer's console read it, in quotes where it needs them.
pub(crate) fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit());
    match is_plain && !RESERVED.split(' ').any(|word| word == name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A text as a constant of SQL, with escapes for what a terminal would obey.
pub(crate) fn literal(text: &str) -> String {
    if !text.contains(|c: char| c == '\\' || c.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut constant = "E'".to_owned();
    for c in text.chars() {
        match c {
            '\'' => constant += "''",
            '\\' => constant += r"\\",
            c if c.is_control() => constant += &format!("\\u{:04X}", u32::from(c)),
            c => constant.push(c),
        }
    }
    constant + "'"
}

/// A word for a shell, in quotes where it needs them.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if !word.contains('\'') {
        format!("'{word}'")
    } else if !word.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{identifier, literal, quoted};

    #[test]
    fn texts_are_constants_of_sql_whatever_they_hold() {
        for (text, expected) in [
            ("plain", "'plain'"),
            ("it's; drop", "'it''s; drop'"),
            (r"back\slash", r"E'back\\slash'"),
            ("\u{1b}[2J\n", r"E'\u001B[2J\u000A'"),
        ] {
            assert_eq!(literal(text), expected);
        }
    }

    #[test]
    fn names_are_quoted_as_sql_reads_them() {
        for (name, expected) in [
            ("warrior_api", "warrior_api"),
            ("my-db", "\"my-db\""),
            ("Upper", "\"Upper\""),
            ("a\"b", "\"a\"\"b\""),
            ("user", "\"user\""),
        ] {
            assert_eq!(identifier(name), expected);
        }
    }

    #[test]
    fn words_are_quoted_as_a_shell_reads_them() {
        for (word, expected) in [
            ("plain/path-1.sql", "plain/path-1.sql"),
            ("", "''"),
            ("two words", "'two words'"),
            ("set x = '2s'", "\"set x = '2s'\""),
            ("it's $5", r"'it'\''s $5'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
