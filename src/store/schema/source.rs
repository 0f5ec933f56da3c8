//! Content digests: what a text of SQL says, comments and indentation aside, so that an edit of a comment changes nothing.

use sha2::{Digest, Sha256};

/// The lines of a text without those that are blank or a comment, each without its indentation.
pub(super) fn statements(sql: &str) -> String {
    sql.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// SHA-256 of what these texts say, in hexadecimal digits.
pub(super) fn digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(statements(text).as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn comments_and_indentation_do_not_count_and_statements_do() {
        let plain = digest(["select 1;\nselect 2;\n"]);
        assert_eq!(digest(["-- One.\n  select 1;\n\nselect 2;\n"]), plain);
        assert_ne!(digest(["select 1;\nselect 3;\n"]), plain);
    }
}
