//! Dashboard, alerts and runbook, which must know the metrics that there are, and each other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::warrior;
use crate::openmetrics::{Metrics, open_metrics};
use crate::server::TestServer;
use crate::supervisor::eventually;
use crate::support::fresh_database;

const DASHBOARD: &str = include_str!("../../monitoring/grafana/dashboards/warrior-api.json");
const ALERTS: &str = include_str!("../../monitoring/alerts.yml");
const ALERT_TESTS: &str = include_str!("../../monitoring/alerts.test.yml");
const RUNBOOK: &str = include_str!("../../docs/OPERATIONS.md");

#[test]
fn every_metric_of_dashboard_and_alerts_exists() {
    let database = fresh_database();
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.monitoring = Some(database.monitoring());
    });
    server.await_ready();
    server.post(&warrior("n")).json(201);
    let mut named: BTreeSet<_> = expressions()
        .iter()
        .flat_map(|asked| names(asked))
        .collect();
    named.retain(|name| !is_of_others(name));
    assert!(named.len() > 30, "{named:?}");
    eventually("/metrics has all that is named", || {
        let metrics = open_metrics(server.ask_admin("/metrics").text());
        let missing: Vec<_> = named
            .iter()
            .filter(|name| !is_there(&metrics, name))
            .collect();
        if !missing.is_empty() {
            eprintln!("missing: {missing:?}");
        }
        missing.is_empty()
    });
}

#[test]
fn every_alert_has_its_test_and_its_paragraph() {
    let alerts: Vec<&str> = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in &alerts {
        let fires = format!("alertname: {alert}\n        exp_alerts:\n");
        let fires_in_line = format!("alertname: {alert}\n        exp_alerts: [{{");
        assert!(
            ALERT_TESTS.contains(&fires) || ALERT_TESTS.contains(&fires_in_line),
            "{alert} is never tested to fire"
        );
        let silent = format!("alertname: {alert}, exp_alerts: []");
        assert!(
            ALERT_TESTS.contains(&silent),
            "{alert} is never tested to be silent"
        );
        let link = format!("runbook: docs/OPERATIONS.md#{}\n", alert.to_lowercase());
        assert!(ALERTS.contains(&link), "{alert} names no runbook");
        assert!(
            RUNBOOK.contains(&format!("\n#### {alert}\n")),
            "{alert} has no paragraph"
        );
    }
    for heading in RUNBOOK
        .lines()
        .filter_map(|line| line.strip_prefix("#### "))
    {
        assert!(alerts.contains(&heading), "{heading} is no alert");
    }
}

/// Everything that Prometheus is asked.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let asked = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let rules = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    asked.chain(rules.map(str::to_owned)).collect()
}

/// The metrics that an expression names: identifiers that are neither functions, nor words of the language, nor labels.
fn names(expression: &str) -> BTreeSet<String> {
    const LISTS: [&str; 6] = [
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
    ];
    const WORDS: [&str; 10] = [
        "and", "or", "unless", "bool", "offset", "sum", "max", "min", "avg", "count",
    ];
    let mut named = BTreeSet::new();
    let mut in_list = false;
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
        let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        rest = match first {
            // Matchers and ranges; no value here holds a closing bracket.
            '{' | '[' => rest.split_once(['}', ']']).map_or("", |(_, after)| after),
            _ if word.is_empty() => {
                in_list &= first != ')';
                &rest[first.len_utf8()..]
            }
            _ => after,
        };
        let is_called = after.trim_start().starts_with('(');
        if LISTS.contains(&word) {
            in_list = is_called;
        } else if !in_list && !is_called && !WORDS.contains(&word) && first.is_ascii_alphabetic() {
            named.insert(word.to_owned());
        }
    }
    named
}

/// Whether others say it than the server: Prometheus, the balancer, and the rules that record.
fn is_of_others(name: &str) -> bool {
    name == "up" || name.starts_with("haproxy_") || name.starts_with("job:")
}

fn is_there(metrics: &Metrics, name: &str) -> bool {
    let ends: &[&str] = &["", "_total", "_bucket", "_sum", "_count"];
    ends.iter().any(|end| {
        let family = name.strip_suffix(end);
        let kind = family.and_then(|family| metrics.kinds.get(family));
        match kind.map(String::as_str) {
            Some("gauge") => end.is_empty(),
            Some("counter") => *end == "_total",
            Some("histogram") => ["_bucket", "_sum", "_count"].contains(end),
            _ => false,
        }
    })
}

#[test]
fn names_are_told_from_functions_words_and_labels() {
    let expression = r#"sum by (lane, le) (rate(a_total{b="c", d=~"e.."}[5m])) / on (f) group_left max(g:h) > 0.5 and absent(i) - 1"#;
    let named: Vec<_> = names(expression).into_iter().collect();
    assert_eq!(named, ["a_total", "g:h", "i"]);
}
