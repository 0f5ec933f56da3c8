//! The shipped configuration files, embedded at compile time.

/// `postgres-conf/postgresql.conf`.
pub const POSTGRESQL_CONF: &str = include_str!("../../postgres-conf/postgresql.conf");
/// `postgres-conf/pg_hba.conf`.
pub(crate) const PG_HBA_CONF: &str = include_str!("../../postgres-conf/pg_hba.conf");
/// `postgres-conf/roles.sql`.
pub(crate) const ROLES_SQL: &str = include_str!("../../postgres-conf/roles.sql");
/// `pgbouncer/pgbouncer.ini`.
pub const PGBOUNCER_INI: &str = include_str!("../../pgbouncer/pgbouncer.ini");

/// The value of `key` in one of these files, without quotes; `None` when the file does not set it.
pub fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let value = value.split('#').next()?.trim().trim_matches('\'');
        (name.trim() == key).then_some(value)
    })
}

/// The value of a setting that these files set to a plain number.
pub(crate) fn number(text: &str, key: &str) -> usize {
    // A unit test below checks the files, so the fallback is never taken.
    setting(text, key)
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_programs_read_them() {
        let text = "# a = 0\na = 1 # one\n;b = 2\nc = 'x'\na = 3\n";
        assert_eq!(setting(text, "a"), Some("3"));
        assert_eq!(setting(text, "b"), None);
        assert_eq!(setting(text, "c"), Some("x"));
    }

    #[test]
    fn what_the_program_computes_with_is_in_the_files() {
        for (text, key) in [
            (POSTGRESQL_CONF, "max_connections"),
            (PGBOUNCER_INI, "default_pool_size"),
            (PGBOUNCER_INI, "max_client_conn"),
        ] {
            assert!(number(text, key) > 0, "{key}");
        }
    }
}
