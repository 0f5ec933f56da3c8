//! The answer of sweeps whose figures are known.

use super::super::points::points;
use super::*;

/// Three rounds of a point; `noise` alternates and is the machine's, so it is the same for all points of a round.
fn visits(servers: u32, pool: Option<u32>, rate: f64, p99_us: f64) -> Vec<Visit> {
    let connections = pool.unwrap_or(5 * servers).min(5 * servers);
    [(1, 1.0), (2, 0.8), (3, 1.1)]
        .map(|(round, weather)| Visit {
            round,
            servers,
            pool,
            connections,
            rate: rate * weather * (1.0 + 0.002 * f64::from(round)),
            p99_us: p99_us / weather,
            success: 1.0,
            read_back: 10,
            unread: 0,
        })
        .to_vec()
}

fn answer(visits: &[Visit], no_room: &[NoRoom]) -> (Answer, String) {
    let break_even = BreakEven::of(&points(visits), &all_versus(visits, no_room));
    (break_even.answer, break_even.sentence())
}

#[test]
fn worth_it_begins_where_it_stays_better() {
    let mut all = Vec::new();
    for (servers, without) in [(1, 1000.0), (2, 600.0), (3, 400.0)] {
        all.extend(visits(servers, None, without, 20e3));
        all.extend(visits(servers, Some(2), 300.0, 20e3));
        all.extend(visits(servers, Some(4), 610.0, 20e3));
        all.extend(visits(servers, Some(8), 615.0, 20e3));
    }
    let (answer, said) = answer(&all, &[]);
    assert_eq!(answer, Answer::WorthIt, "{said}");
    // The pool of 8 is no better than that of 4.
    assert!(
        said.contains("from 15 connections on: with a pool of 4, 1.52 times ("),
        "{said}"
    );
}

#[test]
fn a_price_without_a_gain_is_not_worth_it() {
    let mut all = visits(1, None, 1000.0, 10e3);
    all.extend(visits(1, Some(4), 900.0, 10e3));
    let (answer, said) = answer(&all, &[]);
    assert_eq!(answer, Answer::NotWorthIt, "{said}");
    assert!(
        said.contains("not worth it here with 5 connections"),
        "{said}"
    );
}

#[test]
fn a_shorter_tail_is_a_gain_and_a_contradiction_is_none() {
    let mut all = visits(2, None, 1000.0, 40e3);
    all.extend(visits(2, Some(4), 1000.0, 20e3));
    assert_eq!(answer(&all, &[]).0, Answer::WorthIt);
    let mut both = visits(2, None, 1000.0, 40e3);
    both.extend(visits(2, Some(4), 800.0, 20e3));
    assert_eq!(answer(&both, &[]).0, Answer::NoDifference);
}

#[test]
fn noise_is_no_difference() {
    let mut all = visits(2, None, 1000.0, 40e3);
    let mut noisy = visits(2, Some(4), 1000.0, 40e3);
    noisy[0].rate *= 1.3;
    noisy[1].rate *= 0.9;
    all.extend(noisy);
    let (answer, said) = answer(&all, &[]);
    assert_eq!(answer, Answer::NoDifference, "{said}");
}

#[test]
fn refusals_are_no_speed() {
    let mut all = visits(2, None, 1000.0, 5e3);
    all.iter_mut().for_each(|visit| visit.success = 0.9);
    all.extend(visits(2, Some(4), 1000.0, 50e3));
    let (answer, said) = answer(&all, &[]);
    assert_eq!(answer, Answer::WorthIt, "{said}");
    assert!(said.contains("100.00 % instead of 90.00 %"), "{said}");
}

#[test]
fn a_pool_whose_requests_failed_is_not_good_however_quick() {
    let mut all = visits(2, None, 1000.0, 20e3);
    let mut failing = visits(2, Some(2), 4000.0, 5e3);
    failing.iter_mut().for_each(|visit| visit.success = 0.9);
    all.extend(failing);
    all.extend(visits(2, Some(8), 1300.0, 20e3));
    let (found, said) = answer(&all, &[]);
    assert_eq!(found, Answer::WorthIt, "{said}");
    assert!(said.contains("with a pool of 8, 1.30 times"), "{said}");
    assert!(!said.contains("No pool"), "{said}");
    // With more servers alone it fails: that is enough.
    let mut more = visits(1, None, 1000.0, 20e3);
    more.extend(visits(1, Some(2), 4000.0, 5e3));
    more.extend(visits(1, Some(8), 1300.0, 20e3));
    more.extend(all.clone());
    assert!(answer(&more, &[]).1.contains("with a pool of 8"));
    // Where all fail, the answer says so.
    all.iter_mut()
        .filter(|visit| visit.pool.is_some())
        .for_each(|visit| visit.success = 0.5);
    let (found, said) = answer(&all, &[]);
    assert_eq!(found, Answer::NotWorthIt, "{said}");
    assert!(said.contains("No pool that was tried is good"), "{said}");
    assert!(said.contains("50.00 %"), "{said}");
}

#[test]
fn what_fails_with_pgbouncer_too_is_not_made_possible_by_it() {
    let mut all = visits(1, None, 1000.0, 5e3);
    all.extend(visits(1, Some(8), 1000.0, 5e3));
    let mut failing = visits(50, Some(8), 800.0, 9e3);
    failing.iter_mut().for_each(|visit| visit.success = 0.2);
    all.extend(failing);
    let no_room = [NoRoom {
        servers: 50,
        needs: 250,
        room: 187,
    }];
    let (found, said) = answer(&all, &no_room);
    assert_eq!(found, Answer::NoDifference, "{said}");
    assert!(said.contains("With up to 5 connections"), "{said}");
    assert!(said.contains("20.00 %"), "{said}");
}

#[test]
fn what_postgresql_has_no_room_for_needs_it() {
    let mut all = visits(1, None, 1000.0, 5e3);
    all.extend(visits(1, Some(8), 1000.0, 5e3));
    all.extend(visits(50, Some(8), 800.0, 9e3));
    let no_room = [NoRoom {
        servers: 50,
        needs: 250,
        room: 187,
    }];
    let (answer, said) = answer(&all, &no_room);
    assert_eq!(answer, Answer::WorthIt);
    assert!(
        said.contains("from 250 connections on: PostgreSQL has no room"),
        "{said}"
    );
}
