//! The classes that only a table of real names has: what people type who look for somebody.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::Class;
use crate::fill::SeedRow;
use crate::names;

type Draw<'a> = &'a dyn Fn(&'static str, &dyn Fn(&mut Pcg64Mcg) -> Option<String>) -> Class;

/// Terms out of the names of rows, so that frequent names are among them.
pub(super) fn classes(draw: Draw<'_>, any_row: &dyn Fn(&mut Pcg64Mcg) -> SeedRow) -> Vec<Class> {
    let name = |random: &mut Pcg64Mcg| any_row(random).name;
    let word = |random: &mut Pcg64Mcg, place: fn(Vec<&str>) -> Option<&str>| {
        let name = name(random);
        place(name.split([' ', '-']).collect()).map(str::to_owned)
    };
    let beginning = |word: String, length: usize| {
        let letters: String = word.to_lowercase().chars().take(length).collect();
        (letters.chars().count() == length).then_some(letters)
    };
    let rare: Vec<&str> = names::rare_families().collect();
    vec![
        draw("first name", &|r| word(r, |words| words.first().copied())),
        draw("family name", &|r| word(r, |words| words.last().copied())),
        draw("family name, rare", &|r| {
            Some(rare[r.random_range(0..rare.len())].to_owned())
        }),
        draw("whole name", &|r| Some(name(r))),
        draw("two letters that begin a family name", &|r| {
            beginning(word(r, |words| words.last().copied())?, 2)
        }),
        draw("three letters that begin a family name", &|r| {
            beginning(word(r, |words| words.last().copied())?, 3)
        }),
        draw("word not in ASCII", &|r| {
            (0..100).find_map(|_| word(r, |words| words.into_iter().find(|word| !word.is_ascii())))
        }),
    ]
}
