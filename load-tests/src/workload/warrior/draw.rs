//! The parts of warriors, drawn with the distribution of the public stress test.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::{MARTIAL_ARTS, Skills};

/// A search term of the public stress test: 1 to 50 random letters and spaces.
pub fn search_term(random: &mut Pcg64Mcg) -> String {
    letters_and_spaces(random, 1, 50)
}

/// Between `least` and `most` random letters and spaces.
pub(in crate::workload) fn letters_and_spaces(
    random: &mut Pcg64Mcg,
    least: usize,
    most: usize,
) -> String {
    const ALPHABET: &[u8; 53] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ";
    let length = random.random_range(least..=most);
    (0..length)
        .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
        .collect()
}

pub(super) fn calendar_date(random: &mut Pcg64Mcg) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        random.random_range(1940..=2020),
        random.random_range(1..=12),
        random.random_range(1..=28)
    )
}

pub(super) fn martial_art(random: &mut Pcg64Mcg) -> &'static str {
    MARTIAL_ARTS[random.random_range(0..MARTIAL_ARTS.len())]
}

pub(super) fn draw_skills(random: &mut Pcg64Mcg) -> Skills {
    if random.random_range(0..14) == 0 {
        return Skills::Null;
    }
    let count = random.random_range(1..=26);
    Skills::List((0..count).map(|_| martial_art(random)).collect())
}

pub(super) fn broken_date(random: &mut Pcg64Mcg) -> &'static str {
    const BROKEN: [&str; 6] = [
        "",
        "yesterday",
        "1990-1-1",
        "01/02/1990",
        "1990-00-10",
        "1990-02-30",
    ];
    BROKEN[random.random_range(0..BROKEN.len())]
}

pub(super) fn broken_skills(random: &mut Pcg64Mcg) -> Skills {
    match random.random_range(0..3) {
        0 => Skills::NotAnArray(martial_art(random)),
        1 => Skills::Numbers(vec![1, 2, 3]),
        _ => Skills::List(Vec::new()),
    }
}
