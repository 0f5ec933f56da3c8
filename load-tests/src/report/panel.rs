//! Panels: what a picture can hold above its horizontal axis.

use maud::Markup;

use super::frame::Places;
use super::heat::Heat;
use super::lines::Lines;

/// A drawing above the horizontal axis of its picture.
pub(super) enum Panel {
    Lines(Lines),
    Heat(Heat),
}

impl Panel {
    pub(super) fn markup(&self, places: &Places) -> Markup {
        match self {
            Panel::Lines(lines) => lines.markup(places),
            Panel::Heat(heat) => heat.markup(places),
        }
    }

    /// The places that it has values at.
    pub(super) fn places(&self) -> Vec<f64> {
        match self {
            Panel::Lines(lines) => lines.places(),
            Panel::Heat(_) => Vec::new(),
        }
    }
}
