//! The names of metrics as people read them.

/// The namespace of warrior-api's own metrics, which says nothing beside them.
const NAMESPACE: &str = "warrior_";

/// A metric's name in two parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// What is measured: `queue depth`.
    pub family: String,
    /// Of what, by its labels: `create`; empty without labels.
    pub of: String,
}

impl MetricName {
    /// Reads `warrior_refused_total{lane="find",reason="queue_full"}`.
    pub fn parse(metric: &str) -> MetricName {
        let (name, labels) = metric.split_once('{').unwrap_or((metric, ""));
        let name = name.strip_prefix(NAMESPACE).unwrap_or(name);
        let name = name.strip_suffix("_total").unwrap_or(name);
        // The values stand between quotes, and every second part of them is one.
        let values = labels.split('"').skip(1).step_by(2);
        MetricName {
            family: name.replace('_', " "),
            of: values.collect::<Vec<_>>().join(", ").replace('_', " "),
        }
    }

    /// Both parts in a line.
    pub fn in_a_line(&self) -> String {
        if self.of.is_empty() {
            self.family.clone()
        } else {
            format!("{}, {}", self.family, self.of)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_words() {
        for (metric, words) in [
            (
                "warrior_queue_depth{lane=\"create\"}",
                "queue depth, create",
            ),
            (
                "warrior_refused_total{lane=\"find\",reason=\"queue_full\"}",
                "refused, find, queue full",
            ),
            ("db_client_connection_max", "db client connection max"),
            ("pgrst_db_pool_waiting", "pgrst db pool waiting"),
        ] {
            assert_eq!(MetricName::parse(metric).in_a_line(), words);
        }
    }
}
