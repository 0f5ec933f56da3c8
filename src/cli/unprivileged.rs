//! Privilege dropping before an embedded stack: PostgreSQL refuses root.

use warrior_stack::{Embedded, leave_root};

use super::output::Output;

/// Leaves root, which must happen before any thread exists.
pub(super) fn unprivileged(mut embedded: Embedded, output: Output) -> anyhow::Result<Embedded> {
    if let Some(left) = leave_root(&embedded)? {
        if let Some(sentence) = &left.moved {
            output.print_status(sentence);
        }
        embedded.data = left.data;
    }
    Ok(embedded)
}
