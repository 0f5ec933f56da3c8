//! Content negotiation of `/metrics`: OpenMetrics, or the older text format of Prometheus (0.0.4) for those who do not ask
//! for it, such as curl and `promtool check metrics`.
//!
//! The older one has the whole name of a counter in its comments, and neither units, nor an end, nor the types `info` and
//! `unknown`.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether a client that sends these headers takes OpenMetrics: also one that says nothing does.
pub(super) fn takes_open_metrics(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    accepted.peek().is_none()
        || accepted.any(|value| {
            let text = value.to_str().unwrap_or_default();
            text.contains("application/openmetrics-text")
        })
}

/// OpenMetrics in the older format.
pub(super) fn prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + open_metrics.len() / 16);
    // The comments of a metric come together, and its help before its type.
    let mut help = None;
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(said)) => help = Some((name, said)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", kind),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    _ => ("", kind),
                };
                if let Some((of, said)) = help.take()
                    && of == name
                {
                    text += &format!("# HELP {name}{suffix} {said}\n");
                }
                text += &format!("# TYPE {name}{suffix} {kind}\n");
            }
            (Some("#"), ..) => {}
            _ => {
                text += line;
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn counters_have_their_whole_name_in_comments() {
        let open_metrics = "# HELP a_b Some # of them.\n# TYPE a_b counter\n# UNIT a_b b\na_b_total{l=\"# x\"} 1\n\
                            # HELP c Now.\n# TYPE c gauge\nc 2\n# HELP d Built.\n# TYPE d info\nd_info{v=\"1\"} 1\n# EOF\n";
        let expected = "# HELP a_b_total Some # of them.\n# TYPE a_b_total counter\na_b_total{l=\"# x\"} 1\n\
                        # HELP c Now.\n# TYPE c gauge\nc 2\n# HELP d_info Built.\n# TYPE d_info gauge\nd_info{v=\"1\"} 1\n";
        assert_eq!(prometheus(open_metrics), expected);
    }

    #[test]
    fn who_asks_for_something_else_gets_the_older_format() {
        let takes = |accept: Option<&'static str>| {
            let value = accept.map(|text| (ACCEPT, HeaderValue::from_static(text)));
            takes_open_metrics(&value.into_iter().collect())
        };
        assert!(takes(None));
        assert!(takes(Some(
            "application/openmetrics-text;version=1.0.0,*/*;q=0.1"
        )));
        assert!(!takes(Some("*/*")) && !takes(Some("text/plain;version=0.0.4")));
    }
}
