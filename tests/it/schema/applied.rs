//! A schema that was applied, and what makes it complete.

use postgres::Client;
use warrior_api::store::schema::{self, Applied, SchemaError};

use crate::support::Fresh;

pub(crate) use warrior_api::store::statements::SEARCH;

/// Makes the functions of the database those of an earlier number.
pub(crate) const EARLIER_NUMBER: &str =
    "update public.warrior_schema set functions_number = functions_number - 1, digest = 'older'";

pub(crate) fn apply(client: &mut Client) -> Result<Applied, SchemaError> {
    schema::apply(client, &mut |_| {})
}

pub(crate) fn number(client: &mut Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).unwrap().get(0)
}

pub(crate) fn assert_complete(database: &Fresh) {
    let status = schema::status(&mut database.owner()).unwrap();
    assert!(status.pending.is_empty(), "{status}");
    assert_eq!(status.applied, Some(schema::current_version()));
    let ready = include_str!("../../../src/store/sql/ready.sql");
    let version: i32 = database.pooled().query_typed(ready, &[]).unwrap()[0].get(0);
    assert_eq!(version, schema::current_version());
}
