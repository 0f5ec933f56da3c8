//! The frame of a panel: its drawing's size, its horizontal axis, and the grid and labels that every panel has.

use std::fmt::Write;

use maud::{Markup, html as markup};

use super::axis::Axis;

/// The size of every panel's drawing in its own units; the page stretches it.
pub(super) const DRAWN_WIDTH: f64 = 1000.0;
pub(super) const DRAWN_HEIGHT: f64 = 200.0;

/// The horizontal axis of a picture.
pub(super) struct Places {
    pub(super) range: (f64, f64),
    pub(super) ticks: Vec<(f64, String)>,
    /// Each place that any curve has a point at, ascending.
    pub(super) values: Vec<f64>,
}

impl Places {
    /// The distance of a place from the left, as a share of the axis.
    pub(super) fn across(&self, place: f64) -> f64 {
        let (from, to) = self.range;
        ((place - from) / (to - from).max(1e-9)).clamp(0.0, 1.0)
    }
}

/// The labels beside a vertical axis.
pub(super) fn y_labels(axis: &Axis, show: fn(f64) -> String) -> Markup {
    markup! {
        @for value in axis.ticks() { span.y style=(top(axis, value)) { (show(value)) } }
    }
}

pub(super) fn top(axis: &Axis, value: f64) -> String {
    format!("top:{:.2}%", axis.down(value) * 100.0)
}

/// A line at every tick of both axes.
pub(super) fn grid(axis: &Axis, places: &Places) -> String {
    let mut path = String::new();
    for value in axis.ticks() {
        let y = axis.down(value) * DRAWN_HEIGHT;
        // Writing to a string cannot fail.
        let _written = write!(path, "M0 {y:.1}H{DRAWN_WIDTH}");
    }
    for (at, _) in &places.ticks {
        let x = places.across(*at) * DRAWN_WIDTH;
        let _written = write!(path, "M{x:.1} 0V{DRAWN_HEIGHT}");
    }
    path
}
