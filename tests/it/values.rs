//! Values as the store writes them, compared with PostgreSQL's own text.

use warrior_api::store::{Date, Moment};

use crate::support::fresh_database;

/// The store writes dates and moments itself, since PostgreSQL's own text costs it too much. It must be the
/// same text: the search looks for a date in the text that PostgreSQL writes.
#[test]
fn dates_and_moments_are_written_as_to_json_writes_them() {
    let database = fresh_database();
    let mut client = database.runtime();
    client
        .batch_execute("set DateStyle = 'SQL, DMY'; set TimeZone = 'Asia/Kathmandu'; set statement_timeout = 0")
        .unwrap();
    // Every 97th day of all that PostgreSQL knows, both ends, and the days around all ends of February
    // within 800 years of year 0 and of 2000.
    let days = "
        select day, to_json(day) #>> '{}' from (
            select '4713-01-01 BC'::date + n from generate_series(0, 2147483493, 9700037) as n
            union all select date '0801-01-01 BC' + n from generate_series(0, 1200000, 97) as n
            union all select date '2000-02-29' + n + 366 * y from generate_series(-2, 2) as n, generate_series(-2800, 800) as y
            union all values (date '4713-01-01 BC'), ('5874897-12-31'), ('infinity'), ('-infinity'), ('0001-01-01'), ('0001-12-31 BC')
        ) as d (day)";
    let rows = client.query(days, &[]).unwrap();
    assert!(rows.len() > 30_000);
    for row in &rows {
        assert_eq!(row.get::<_, Date>(0).0, row.get::<_, String>(1));
    }
    let moments = "
        select moment, case when isfinite(moment)
                            then replace((to_json(moment at time zone 'UTC') #>> '{}') || 'Z', ' BCZ', 'Z BC')
                            else moment::text
                       end from (
            select timestamptz '4713-01-02 BC' + n * interval '25 days 7 hours 1.000001 seconds' from generate_series(0, 40000) as n
            union all select timestamptz '2020-01-01' + n * interval '0.0001 seconds' from generate_series(-10000, 10000) as n
            union all values (timestamptz '4713-01-01 00:00:00+00 BC'), ('294276-12-31 23:59:59.999999+00'), ('infinity'), ('-infinity')
        ) as m (moment)";
    let rows = client.query(moments, &[]).unwrap();
    assert!(rows.len() > 60_000);
    for row in &rows {
        assert_eq!(row.get::<_, Moment>(0).0, row.get::<_, String>(1));
    }
}
