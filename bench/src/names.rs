//! Real names: first and family names of several languages, some far more frequent than others.

mod languages;

use std::sync::LazyLock;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use self::languages::LANGUAGES;

/// The share of people with a second first name.
const SECOND_FIRST: f64 = 0.3;
/// The share of people with a second family name, in some languages behind a hyphen.
const SECOND_FAMILY: f64 = 0.2;
/// The share of people whose family name is of another language than the first.
const OTHER_LANGUAGE: f64 = 0.08;

/// The names of one language, as lists.
struct Names {
    first: Vec<&'static str>,
    family: Vec<&'static str>,
}

static NAMES: LazyLock<Vec<Names>> = LazyLock::new(|| {
    let list = |names: &'static str| names.split(',').collect();
    let names = LANGUAGES.iter().map(|language| Names {
        first: list(language.first),
        family: list(language.family),
    });
    names.collect()
});

/// Draws the name of a person.
pub(crate) fn draw(random: &mut Pcg64Mcg) -> String {
    let home = language(random);
    let first = one_of(&home.first, random);
    let mut name = first.to_owned();
    if random.random_bool(SECOND_FIRST) {
        let second = one_of(&home.first, random);
        if second != first {
            name = format!("{name} {second}");
        }
    }
    let of = match random.random_bool(OTHER_LANGUAGE) {
        true => language(random),
        false => home,
    };
    let family = one_of(&of.family, random);
    name = format!("{name} {family}");
    if random.random_bool(SECOND_FAMILY) {
        let between = if random.random() { " " } else { "-" };
        name = format!("{name}{between}{}", one_of(&of.family, random));
    }
    name
}

/// Family names that are the rarest of their language.
pub(crate) fn rare_families() -> impl Iterator<Item = &'static str> {
    let last = |names: &'static Names| names.family.iter().rev().take(4).copied();
    NAMES.iter().flat_map(last)
}

fn language(random: &mut Pcg64Mcg) -> &'static Names {
    let all: u32 = LANGUAGES.iter().map(|language| language.weight).sum();
    let mut drawn = random.random_range(0..all);
    let place = LANGUAGES.iter().position(|language| {
        let here = drawn < language.weight;
        drawn = drawn.saturating_sub(language.weight);
        here
    });
    &NAMES[place.unwrap_or_default()]
}

/// Draws by Zipf's law: the second name is about half as frequent as the first, the tenth a tenth.
fn one_of(names: &[&'static str], random: &mut Pcg64Mcg) -> &'static str {
    let places = (names.len() + 1) as f64;
    let place = places.powf(random.random()) as usize - 1;
    names[place.min(names.len() - 1)]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use warrior_load::schedule::stream;

    use super::*;

    #[test]
    fn each_language_has_each_of_its_names_once() {
        let (mut first, mut family) = (0, 0);
        for names in NAMES.iter() {
            for list in [&names.first, &names.family] {
                let different: BTreeSet<_> = list.iter().collect();
                assert_eq!(different.len(), list.len(), "{list:?}");
                let clean = |name: &&str| !name.is_empty() && name.trim() == *name;
                assert!(list.iter().all(clean), "{list:?}");
            }
            first += names.first.len();
            family += names.family.len();
        }
        assert!(first >= 280 && family >= 560, "{first} and {family}");
    }

    #[test]
    fn names_are_uneven_long_tailed_and_within_the_contract() {
        let drawn: Vec<String> = (0..20_000).map(|n| draw(&mut stream(1, 0, n))).collect();
        assert_eq!(drawn[7], draw(&mut stream(1, 0, 7)));
        let mut letters = BTreeSet::new();
        let mut families: BTreeMap<&str, u32> = BTreeMap::new();
        for name in &drawn {
            assert!((1..=100).contains(&name.chars().count()), "{name}");
            letters.extend(name.to_lowercase().chars());
            *families
                .entry(name.rsplit([' ', '-']).next().unwrap_or_default())
                .or_default() += 1;
        }
        let share = |family: &str| f64::from(families[family]) / drawn.len() as f64;
        assert!(share("Smith") > 4.0 * share("Walker"), "{families:?}");
        assert!(share("Smith") < 0.1, "{families:?}");
        let different: BTreeSet<_> = drawn.iter().collect();
        assert!(different.len() > 10_000, "{}", different.len());
        // Above 300 the list of letters would be given up, above 200 pairs would be searched in another way.
        assert!((100..200).contains(&letters.len()), "{}", letters.len());
    }
}
