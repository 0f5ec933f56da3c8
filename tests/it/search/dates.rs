//! Searches for every part of a date, under random data.

use std::collections::BTreeSet;

use postgres::Client;

use super::SEARCH;
use super::plain::{PLAIN, hits};
use crate::support::fresh_database;

/// Days of some years, a few of which are at the edges of what is written with four digits, and rows of other ways;
/// names of few beginnings, so that there are ties, some of which hold a part of a date.
const FILL: &str = "
    insert into public.warrior (name, dob, fight_skills)
    select (array['Anna', 'anna', 'Ben 19', 'Éva', '03-15', ''])[1 + floor(random() * 6)::int] || floor(random() * 300),
           case floor(random() * 40)::int
               when 0 then date '0001-01-01' + floor(random() * 400)::int
               when 1 then date '9999-12-31' - floor(random() * 400)::int
               when 2 then make_date(-44, 3, 1 + floor(random() * 28)::int)
               when 3 then date '12345-03-01' + floor(random() * 40)::int
               when 4 then date '1985-03-15'
               when 5 then (array[date 'infinity', date '-infinity'])[1 + floor(random() * 2)::int]
               else date '1980-01-01' + floor(random() * 9000)::int
           end,
           array['judo 19', '03-1' || n % 3]
      from generate_series(1, 1500) as n";

/// Dates whose parts are looked for; some are of no row, and some are no dates.
const DATES: [&str; 6] = [
    "1985-03-15",
    "2001-12-31",
    "0001-01-01",
    "9999-12-31",
    "0044-03-15",
    "2001-02-30",
];

#[test]
fn finds_every_part_of_a_date() {
    let database = fresh_database();
    let mut owner = database.owner();
    let mut terms: BTreeSet<&str> = BTreeSet::from([
        "--", "1985--", "-1985", "85--1", "1985-3", "12345-0", "0000",
    ]);
    for date in DATES {
        for from in 0..date.len() {
            terms.extend((from + 1..=date.len()).map(|to| &date[from..to]));
        }
    }
    for seed in 1..=5 {
        fill(&mut owner, seed);
        let plain: Vec<_> = terms
            .iter()
            .map(|term| hits(&mut owner, PLAIN, term))
            .collect();
        for state in ["before a flush", "after a flush"] {
            for (term, plain) in terms.iter().zip(&plain) {
                let found = hits(&mut owner, SEARCH, term);
                assert_eq!(&found, plain, "term {term:?}, seed {seed}, {state}");
            }
            owner
                .batch_execute("vacuum analyze public.warrior")
                .unwrap();
        }
    }
}

fn fill(owner: &mut Client, seed: u32) {
    let seed = f64::from(seed) / 10.0;
    owner
        .batch_execute(&format!(
            "truncate public.warrior; select setseed({seed}); {FILL}"
        ))
        .unwrap();
}
