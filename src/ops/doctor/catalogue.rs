//! Every kind of finding, by importance. docs/OPERATIONS.md has a paragraph for each.

use super::finding::{Kind, Level};

macro_rules! kinds {
    ($($id:ident = $name:literal, $level:ident, $why:literal;)*) => {
        $(pub(super) static $id: Kind = Kind { name: $name, level: Level::$level, why: $why };)*
        /// All of them.
        pub static KINDS: &[&Kind] = &[$(&$id),*];
    };
}

kinds! {
    DURABILITY_OFF = "durability-off", BrokenPromise, "after a crash, warriors that were acknowledged with 201 may be gone";
    TRIGGERS_OFF = "triggers-off", BrokenPromise, "rows are stored that no search finds and no count knows";
    COUNT_DRIFT = "count-drift", BrokenPromise, "GET /counting-warriors is wrong";
    LISTS_DRIFT = "lists-drift", BrokenPromise, "searches miss warriors that are stored";
    INDEX_FUNCTION = "index-function", BrokenPromise, "an index whose function has changed gives wrong rows";
    LOCALE = "locale", BrokenPromise, "searches are case-sensitive where the contract says that they are not";
    COLLATION_VERSION = "collation-version", BrokenPromise, "indexes were written under other rules than they are read by, so searches may miss rows";
    TABLE_RESHAPED = "table-reshaped", BrokenPromise, "what the API stores is not what it serves, or creates fail";
    SEARCH_LIMIT = "search-limit", BrokenPromise, "searches leave hits out at random";
    SECRETS_READABLE = "secrets-readable", BrokenPromise, "who reads a password can log in, and who reads the secret of Idempotency-Keys knows the ids behind keys";
    RIGHTS_EXPOSED = "rights-exposed", BrokenPromise, "every role of the cluster can change the count, or read the secret of Idempotency-Keys";
    POOLER_OPEN = "pooler-open", BrokenPromise, "everybody who reaches the pooler is let in without a password";

    DATABASE_UNREACHABLE = "database-unreachable", WillFail, "every request is answered 503";
    DATABASE_READ_ONLY = "database-read-only", WillFail, "nothing can be stored";
    SERVER_NOT_READY = "server-not-ready", WillFail, "the load balancer sends it nothing";
    SCHEMA_BEHIND = "schema-behind", WillFail, "a server is not ready on an older or half-applied schema";
    SCHEMA_NEWER = "schema-newer", WillFail, "this program cannot know what a newer schema needs";
    SCHEMA_FOREIGN = "schema-foreign", WillFail, "the database holds what this program cannot work with";
    SCHEMA_OWNER = "schema-owner", WillFail, "the next `warrior-api schema apply`, and with it the next upgrade, is refused";
    TABLE_OBSTACLE = "table-obstacle", WillFail, "creates or searches are refused, or give wrong answers";
    ROLE_RIGHTS = "role-rights", WillFail, "requests that need the missing right are answered 503";
    IDEMPOTENCY_SECRET = "idempotency-secret", WillFail, "creates are refused as long as the secret of Idempotency-Keys is unknown";
    CONNECTIONS_TOO_FEW = "connections-too-few", WillFail, "PostgreSQL refuses connections under load, and requests that need them are answered 503";
    CONNECTIONS_NEARLY_USED = "connections-nearly-used", WillFail, "the next connections are refused, those of a restarting server among them";
    POOLER_CLIENTS = "pooler-clients", WillFail, "the pooler refuses the connections of a server, and its requests are answered 503";
    POOLER_MODE = "pooler-mode", WillFail, "each connection of a server holds one of PostgreSQL's for as long as it lives, or a transaction is cut apart";
    POOLER_PAUSED = "pooler-paused", WillFail, "every request waits until its deadline and is answered 503";
    POOLER_DESCRIPTORS = "pooler-descriptors", WillFail, "the pooler refuses clients once it has no descriptor left";
    STATEMENT_LIMITS = "statement-limits", WillFail, "one statement that hangs, or one lock that somebody holds, keeps a worker past the deadline of its requests";
    LOCK_WAIT = "lock-wait", WillFail, "creates wait for the lock and are answered 503 after lock_timeout";
    REPLICATION_SLOT = "replication-slot", WillFail, "an unused slot keeps every WAL file until the disk is full";
    DISK_SPACE = "disk-space", WillFail, "PostgreSQL stops when its disk is full, and creates are answered 503 or 504";
    WRAPAROUND = "wraparound", WillFail, "PostgreSQL refuses writes when its transaction ids run out";
    PREPARED_TRANSACTION = "prepared-transaction", WillFail, "a forgotten two-phase transaction keeps its locks, and keeps vacuum from removing dead rows";

    POOL_TOO_SMALL = "pool-too-small", Slow, "requests wait for each other in the pooler while workers stand idle";
    POOLER_WAIT = "pooler-wait", Slow, "requests wait in the pooler for a connection to PostgreSQL";
    POOLER_TIMEOUT = "pooler-timeout", Slow, "a worker waits longer for a connection than the request that it waits for";
    STATEMENTS_UNNAMED = "statements-unnamed", Slow, "PostgreSQL parses and plans each statement again";
    INDEX_MISSING = "index-missing", Slow, "searches read the whole table, and are cut off at their deadline";
    STATISTICS = "statistics", Slow, "the planner does not know the table, and chooses slow plans";
    AUTOVACUUM_OFF = "autovacuum-off", Slow, "dead rows stay and statistics age, and in the end transaction ids run out";
    DEAD_ROWS = "dead-rows", Slow, "reads and index scans pass over rows that are gone";
    IDLE_TRANSACTION = "idle-transaction", Slow, "it keeps its locks, and keeps vacuum from removing dead rows; creates get slower";
    LONG_TRANSACTION = "long-transaction", Slow, "it keeps vacuum from removing dead rows, those of the count among them; creates get slower";
    PENDING_LISTS = "pending-lists", Slow, "every search reads the lists from end to end, and writers take turns";
    CACHE_HITS = "cache-hits", Slow, "pages are read from the disk, or the system's cache, that do not fit into shared_buffers";
    BINDS = "binds", Slow, "this is what limits the server now";

    DESCRIPTORS = "descriptors", Advice, "fewer clients are served at once than MAX_CONNECTIONS says";
    POOLER_VERSION = "pooler-version", Advice, "who reaches its port can use these faults";
    TLS_OFF = "tls-off", Advice, "warriors and secrets cross a public network in clear text";
    ROLE_TOO_MIGHTY = "role-too-mighty", Advice, "who gets hold of the server's password can do more than serve requests";
    SCHEMA_OPEN = "schema-open", Advice, "every role can put a function or an operator where the API looks for its own";
    CLOCK_SKEW = "clock-skew", Advice, "ids are ordered by the server's clock, and created_at is PostgreSQL's";
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNBOOK: &str = include_str!("../../../docs/OPERATIONS.md");

    #[test]
    fn kinds_are_listed_by_importance_and_each_name_once() {
        assert!(KINDS.is_sorted_by_key(|kind| kind.level));
        for kind in KINDS {
            let same = KINDS.iter().filter(|other| other.name == kind.name);
            assert_eq!(same.count(), 1, "{}", kind.name);
        }
    }

    #[test]
    fn each_kind_has_its_row_in_the_runbook_and_no_other_has() {
        let (_, section) = RUNBOOK
            .split_once("### What the doctor finds")
            .expect("the runbook has this section");
        let section = section.split("\n#").next().unwrap_or_default();
        let listed: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(listed, names);
    }
}
