//! The statements that answer rows, each put together when this is compiled: the columns that all share, what is its own, and
//! behind it what some share: the order of a tier, the wait for a standby. Its first line names its file, for who looks at
//! `pg_stat_activity`.

macro_rules! of_rows {
    ($file:literal $(, $more:literal)*) => {
        concat!(
            "-- ", $file, "\n",
            include_str!("../sql/shared_columns.sql"),
            include_str!(concat!("../sql/", $file)),
            $(include_str!(concat!("../sql/", $more)),)*
        )
    };
}

/// Warriors by id, on both schemas.
pub const FIND: &str = of_rows!("find.sql");
/// A search for one term.
pub const SEARCH: &str = of_rows!("search.sql");
/// Searches for several terms.
pub const SEARCHES: &str = of_rows!("searches.sql");
/// The rows behind ids in doubt.
pub const STORED: &str = of_rows!("stored.sql", "stored_and_confirmed.sql");

/// The tiers of a search on the plain schema.
pub mod plain {
    /// By name.
    pub const NAMES: &str = of_rows!("plain/names.sql", "plain/order.sql");
    /// By date.
    pub const DATES: &str = of_rows!("plain/dates.sql", "plain/order.sql");
    /// By skill.
    pub const SKILLS: &str = of_rows!("plain/skills.sql", "plain/order.sql");
    /// By skill, for a term that could lie across two.
    pub const SKILLS_APART: &str = of_rows!("plain/skills_apart.sql", "plain/order.sql");
    /// The rows behind ids in doubt, where no engine distributes them.
    pub const STORED: &str = of_rows!("plain/stored.sql", "stored_and_confirmed.sql");
}
