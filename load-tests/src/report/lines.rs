//! Lines over the places of a picture, with their limits.
//!
//! The drawing is stretched to the width of the page, and all text stands beside it, so that it reads the same on a
//! telephone and on a wide screen.

use std::fmt::Write;

use maud::{Markup, html as markup};

use super::axis::{Axis, Scale};
use super::frame::{DRAWN_HEIGHT, DRAWN_WIDTH, Places, grid, top, y_labels};

/// The colours of lines, by their CSS classes, in their order.
pub(super) const CLASSES: [&str; 6] = ["c0", "c1", "c5", "c3", "c6", "c2"];

/// How near the top a limit has no room for its text above it, as a share of the axis.
const UNDER: f64 = 0.15;

/// One line of a panel.
pub(super) struct Curve {
    pub(super) name: String,
    /// A CSS class that gives its colour.
    pub(super) class: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A panel of lines.
pub(super) struct Lines {
    pub(super) title: String,
    pub(super) scale: Scale,
    /// How a value of the vertical axis reads.
    pub(super) show: fn(f64) -> String,
    pub(super) curves: Vec<Curve>,
    /// Limits, each with its text.
    pub(super) limits: Vec<(f64, String)>,
    /// Room for details.
    pub(super) is_tall: bool,
}

impl Lines {
    pub(super) fn markup(&self, places: &Places) -> Markup {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let values = points.map(|(_, y)| *y);
        let axis = Axis::over(
            self.scale,
            values.chain(self.limits.iter().map(|(limit, _)| *limit)),
        );
        let texts: Vec<Vec<String>> = self
            .curves
            .iter()
            .map(|curve| self.texts(curve, places))
            .collect();
        markup! {
            // Numbers and texts have a way to be written as JSON.
            section.panel data-values=(serde_json::to_string(&texts).unwrap_or_default()) {
                p.legend {
                    strong { (self.title) }
                    @for curve in &self.curves { span class=(curve.class) { (curve.name) " " b {} } }
                }
                div.plot.tall[self.is_tall] {
                    (y_labels(&axis, self.show))
                    svg viewBox=(format!("0 0 {DRAWN_WIDTH} {DRAWN_HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(self.title) {
                        path.grid d=(grid(&axis, places)) {}
                        @for (limit, _) in &self.limits {
                            @let y = axis.down(*limit) * DRAWN_HEIGHT;
                            path.limit d=(format!("M0 {y:.1}H{DRAWN_WIDTH}")) {}
                        }
                        @for curve in &self.curves {
                            path class={ "line " (curve.class) } d=(path(curve, &axis, places)) {}
                        }
                    }
                    @for (limit, text) in &self.limits {
                        span.limit.under[axis.down(*limit) < UNDER] style=(top(&axis, *limit)) { (text) }
                    }
                    i.pointer {}
                }
            }
        }
    }

    /// A text for every place, empty where the curve has no point. A rate that was tried several times has several.
    fn texts(&self, curve: &Curve, places: &Places) -> Vec<String> {
        let mut points = curve.points.iter().peekable();
        let text = |place: &f64| {
            let here = || points.next_if(|(x, _)| x == place);
            let texts: Vec<String> = std::iter::from_fn(here)
                .map(|(_, y)| (self.show)(*y))
                .collect();
            texts.join(", ")
        };
        places.values.iter().map(text).collect()
    }

    /// The places that the curves have points at.
    pub(super) fn places(&self) -> Vec<f64> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        points.map(|(x, _)| *x).collect()
    }
}

/// A line through the points. One without a neighbour is a dot, which a line of no length would not show.
fn path(curve: &Curve, axis: &Axis, places: &Places) -> String {
    let mut path = String::new();
    for (x, y) in &curve.points {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let (x, y) = (
            places.across(*x) * DRAWN_WIDTH,
            axis.down(*y) * DRAWN_HEIGHT,
        );
        let _written = write!(path, "{command}{x:.1} {y:.1}");
    }
    if curve.points.len() == 1 {
        path.push_str("h1");
    }
    path
}
