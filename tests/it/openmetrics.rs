//! Reads OpenMetrics as strictly as a scraper does.

use std::collections::BTreeMap;

/// What an OpenMetrics text says.
pub(crate) struct Metrics {
    pub(crate) kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    pub(crate) fn sample(&self, name: &str) -> f64 {
        match self.samples.get(name) {
            Some(value) => *value,
            None => panic!("no {name} in {:#?}", self.samples.keys()),
        }
    }
}

/// Reads the text format strictly, as a scraper does.
pub(crate) fn open_metrics(text: &str) -> Metrics {
    let text = text.strip_suffix("# EOF\n").expect("the end is marked");
    let mut metrics = Metrics {
        kinds: BTreeMap::new(),
        samples: BTreeMap::new(),
    };
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (keyword, name, value) = (words.next(), words.next(), words.next());
            let (name, value) = (name.expect("a name"), value.expect("a value"));
            match keyword {
                Some("HELP") => assert!(value.ends_with('.'), "{line}"),
                Some("TYPE") => {
                    let twice = metrics.kinds.insert(name.to_owned(), value.to_owned());
                    assert!(twice.is_none(), "{line}");
                    // Endings of samples of other kinds, which `promtool check metrics` refuses.
                    let of_samples = ["_total", "_created", "_bucket", "_sum", "_count", "_info"];
                    assert!(!of_samples.iter().any(|end| name.ends_with(end)), "{line}");
                    family = name.to_owned();
                }
                Some("UNIT") => assert!(name.ends_with(value), "{line}"),
                other => panic!("{other:?}: {line}"),
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        let bare = name.split('{').next().unwrap_or_default();
        let suffix = bare
            .strip_prefix(family.as_str())
            .expect("one of its family");
        let suffixes: &[&str] = match metrics.kinds[&family].as_str() {
            "counter" => &["_total", "_created"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count", "_created"],
            other => panic!("{other}: {line}"),
        };
        assert!(suffixes.contains(&suffix), "{line}");
        let value: f64 = value.parse().expect("a number");
        let twice = metrics.samples.insert(name.to_owned(), value);
        assert!(twice.is_none(), "{line}");
    }
    metrics
}
