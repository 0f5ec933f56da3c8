//! Pictures: panels above each other over one horizontal axis, with one pointer through all of them.

use maud::{Markup, html as markup};

use super::frame::Places;
use super::panel::Panel;

/// Panels over one horizontal axis.
pub(super) struct Picture {
    /// The ends of the horizontal axis.
    pub(super) range: (f64, f64),
    /// Places and labels along it.
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) label: &'static str,
    /// How a place reads.
    pub(super) show: fn(f64) -> String,
    pub(super) panels: Vec<Panel>,
}

impl Picture {
    pub(super) fn markup(&self) -> Markup {
        let mut values: Vec<f64> = self.panels.iter().flat_map(Panel::places).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let places = Places {
            range: self.range,
            ticks: self.ticks.clone(),
            values,
        };
        let at = |place: &f64| {
            let share = (places.across(*place) * 10_000.0).round() / 10_000.0;
            (share, (self.show)(*place))
        };
        let named: Vec<(f64, String)> = places.values.iter().map(at).collect();
        markup! {
            // Numbers and texts have a way to be written as JSON.
            figure data-places=(serde_json::to_string(&named).unwrap_or_default()) {
                @for panel in &self.panels { (panel.markup(&places)) }
                div.axis {
                    @for (tick, label) in &self.ticks {
                        span style=(format!("left:{:.2}%", places.across(*tick) * 100.0)) { (label) }
                    }
                }
                p.place data-label=(self.label) { (self.label) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::axis::Scale;
    use crate::report::lines::{Curve, Lines};

    #[test]
    fn a_name_is_text_and_not_markup_and_values_are_given_for_every_place() {
        let curve = |name: &str, points| Curve {
            name: name.to_owned(),
            class: "c0",
            points,
        };
        let lines = Lines {
            title: "</strong>".to_owned(),
            scale: Scale::Linear,
            show: |value| format!("{value} req"),
            curves: vec![
                curve("<script>\"", vec![(0.0, 1.0), (0.0, 4.0), (2.0, 3.0)]),
                curve("b", vec![(1.0, 2.0)]),
            ],
            limits: vec![(2.0, "<script>".to_owned())],
            is_tall: false,
        };
        let picture = Picture {
            range: (0.0, 2.0),
            ticks: Vec::new(),
            label: "time",
            show: |place| format!("{place} s"),
            panels: vec![Panel::Lines(lines)],
        };
        let page = picture.markup().into_string();
        assert!(
            !page.contains("<script>") && !page.contains("</strong></strong>"),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;"), "{page}");
        let values = r#"[["1 req, 4 req","","3 req"],["","2 req",""]]"#.replace('"', "&quot;");
        assert!(page.contains(&values), "{page}");
        let places = r#"[[0.0,"0 s"],[0.5,"1 s"],[1.0,"2 s"]]"#.replace('"', "&quot;");
        assert!(page.contains(&places), "{page}");
    }
}
