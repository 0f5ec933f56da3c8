//! Paired comparison of two targets or two configurations, for `compare` and `reproduce`.
//!
//! Figures are compared as ratios of pairs that were measured next to each other in time, because
//! a machine that slows down for a minute then slows both sides. The interval is Student's, over
//! the logarithms of the ratios.

mod comparison;
mod finding;
mod reproduce;
mod slices;
mod student;

pub use comparison::{Comparison, Slice, show};
pub use finding::{ComparedFigure, Direction, Finding};
pub use reproduce::{Conclusion, Reproduction, reproduce};
pub use slices::{FIGURES, Side, SliceFigure, compare};
pub(crate) use student::{geometric_mean, ratio_interval, student_interval};
