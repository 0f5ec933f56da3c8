//! The heat map of latency: how many requests took how long, over the time of a run.

use std::fmt::Write;

use maud::{Markup, html as markup};
use serde::Serialize;

use super::axis::{Axis, Scale};
use super::frame::{DRAWN_HEIGHT, DRAWN_WIDTH, Places, grid, y_labels};
use super::values::show_micros;
use crate::latency_bands::band_from_us;
use crate::output::micros;
use crate::result::Second;

/// Most columns: more would be thinner than a pixel of a telephone.
const COLUMNS_MAX: usize = 150;

/// Shades from few requests to many; each stands for a few times more than the one before.
const SHADES: usize = 6;

const TITLE: &str = "Latency, by how many requests took it";

/// A column for every few seconds, and in it the requests of each band.
pub(super) struct Heat {
    /// Seconds of a column.
    span: usize,
    columns: Vec<Vec<u64>>,
}

/// The cells for the script that shows them.
#[derive(Serialize)]
struct Cells {
    span: usize,
    /// The distance of each band's upper end from the top of the panel, as a share of it.
    tops: Vec<f64>,
    bands: Vec<String>,
    columns: Vec<Vec<u64>>,
}

impl Heat {
    pub(super) fn of(series: &[Second]) -> Heat {
        let span = series.len().div_ceil(COLUMNS_MAX).max(1);
        let column = |seconds: &[Second]| {
            let most = seconds
                .iter()
                .map(|second| second.latency_bands.len())
                .max();
            let mut column = vec![0; most.unwrap_or(0)];
            for second in seconds {
                let bands = column.iter_mut().zip(&second.latency_bands);
                bands.for_each(|(all, count)| *all += count);
            }
            column
        };
        Heat {
            span,
            columns: series.chunks(span).map(column).collect(),
        }
    }

    pub(super) fn markup(&self, places: &Places) -> Markup {
        let bands = || self.filled().map(|(_, band, _)| band);
        let ends = bands().flat_map(|band| [band_from_us(band), band_from_us(band + 1)]);
        let axis = Axis::over(Scale::Log, ends.collect::<Vec<_>>().into_iter());
        let last = bands().max().unwrap_or(0);
        let cells = Cells {
            span: self.span,
            tops: (0..=last)
                .map(|band| (axis.down(band_from_us(band + 1)) * 1e4).round() / 1e4)
                .collect(),
            bands: (0..=last).map(between).collect(),
            columns: self.columns.clone(),
        };
        let most = self.filled().map(|(.., count)| count).max().unwrap_or(1);
        let mut shades = vec![String::new(); SHADES];
        for (column, band, count) in self.filled() {
            self.draw(
                &mut shades[shade(count, most)],
                (column, band),
                &axis,
                places,
            );
        }
        markup! {
            // Numbers and texts have a way to be written as JSON.
            section.panel data-cells=(serde_json::to_string(&cells).unwrap_or_default()) {
                p.legend {
                    strong { (TITLE) }
                    span.scale {
                        "1 "
                        @for shade in 0..SHADES { i class=(format!("heat h{shade}")) {} }
                        " " (most)
                    }
                    b {}
                }
                div.plot.tall {
                    (y_labels(&axis, show_micros))
                    svg viewBox=(format!("0 0 {DRAWN_WIDTH} {DRAWN_HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(TITLE) {
                        path.grid d=(grid(&axis, places)) {}
                        @for (shade, path) in shades.iter().enumerate() {
                            path class=(format!("heat h{shade}")) d=(path) {}
                        }
                    }
                    i.pointer {}
                }
            }
        }
    }

    /// Column, band and count of every cell that is not empty.
    fn filled(&self) -> impl Iterator<Item = (usize, usize, u64)> + '_ {
        let columns = self.columns.iter().enumerate();
        columns.flat_map(|(column, bands)| {
            let bands = bands.iter().enumerate().filter(|(_, count)| **count > 0);
            bands.map(move |(band, count)| (column, band, *count))
        })
    }

    /// Values of a second stand over its number, and so does its cell.
    fn draw(
        &self,
        path: &mut String,
        (column, band): (usize, usize),
        axis: &Axis,
        places: &Places,
    ) {
        let x = |second: usize| places.across(second as f64 - 0.5) * DRAWN_WIDTH;
        let y = |band: usize| axis.down(band_from_us(band)) * DRAWN_HEIGHT;
        let (left, right) = (x(column * self.span), x((column + 1) * self.span));
        let (top, bottom) = (y(band + 1), y(band));
        // Writing to a string cannot fail.
        let _written = write!(
            path,
            "M{left:.1} {top:.1}H{right:.1}V{bottom:.1}H{left:.1}z"
        );
    }
}

/// Counts are told apart by their order of magnitude: one slow request among thousands is to be seen.
fn shade(count: u64, most: u64) -> usize {
    let share = (count as f64).ln() / (most as f64).ln().max(1e-9);
    ((share * SHADES as f64) as usize).min(SHADES - 1)
}

fn between(band: usize) -> String {
    let from = |band| micros(band_from_us(band).ceil() as u64);
    format!("{} to {}", from(band), from(band + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::SecondRow;

    #[test]
    fn every_request_is_in_one_cell_however_long_the_run() {
        let second = |second| Second {
            second,
            total: SecondRow {
                scheduled: 0,
                succeeded: 0,
                failed: 0,
                p50_us: 0,
                p99_us: 0,
                p99_9_us: 0,
                max_us: 0,
            },
            endpoints: Vec::new(),
            in_flight: 0,
            connections: 0,
            generator_cpu: 0.0,
            latency_bands: vec![0, 2, u64::from(second % 7 == 0)],
        };
        for seconds in [0, 1, 150, 151, 3600] {
            let series: Vec<Second> = (0..seconds).map(second).collect();
            let heat = Heat::of(&series);
            assert!(heat.columns.len() <= COLUMNS_MAX);
            let counted: u64 = heat.filled().map(|(.., count)| count).sum();
            assert_eq!(counted, seconds * 2 + seconds.div_ceil(7));
        }
        assert_eq!(
            (shade(1, 1), shade(1, 1000), shade(1000, 1000)),
            (0, 0, SHADES - 1)
        );
    }
}
