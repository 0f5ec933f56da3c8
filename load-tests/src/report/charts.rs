//! Charts as inline SVG: one line per series, both axes labelled with their units.

use std::fmt::Write;

use serde::Serialize;

/// One line of a chart.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    /// A CSS class that gives its colour.
    pub(super) class: &'a str,
    pub(super) points: Vec<(f64, f64)>,
}

/// How values are laid out along an axis.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Linear,
    Log,
}

pub(super) struct Chart<'a> {
    pub(super) y_scale: Scale,
    /// The ends of the horizontal axis.
    pub(super) x_range: (f64, f64),
    /// Places and labels along the horizontal axis.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) x_label: &'a str,
    /// How a value of the vertical axis reads.
    pub(super) y_show: fn(f64) -> String,
    /// How a place on the horizontal axis reads.
    pub(super) x_show: fn(f64) -> String,
    pub(super) series: Vec<Curve<'a>>,
    /// Limits of thresholds, each with its text.
    pub(super) limits: Vec<(f64, String)>,
}

/// The points of a chart for the script that shows them.
#[derive(Serialize)]
struct Points<'a> {
    left: f64,
    right: f64,
    width: f64,
    /// Each place that a curve has a point at: in pixels, and as it reads.
    places: Vec<(f64, String)>,
    /// Each curve with a text for every place, empty where it has no point.
    curves: Vec<(&'a str, Vec<String>)>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 42.0;

impl Chart<'_> {
    pub(super) fn svg(&self) -> String {
        let (low, high) = self.y_range();
        // The names come from the profile, and may hold what is markup here.
        let points = maud::html! { (self.points()) }.into_string();
        let mut svg = format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg" data-chart="{points}">"#
        );
        // Writing to a string cannot fail.
        let _written = self.draw(&mut svg, low, high);
        svg.push_str("</svg>");
        svg
    }

    /// As JSON.
    fn points(&self) -> String {
        let all = self.series.iter().flat_map(|curve| &curve.points);
        let mut places: Vec<f64> = all.map(|(x, _)| *x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let texts = |curve: &Curve<'_>| {
            let mut points = curve.points.iter().peekable();
            let text = |place: &f64| match points.next_if(|(x, _)| x == place) {
                Some((_, y)) => (self.y_show)(*y),
                None => String::new(),
            };
            places.iter().map(text).collect::<Vec<_>>()
        };
        let points = Points {
            left: LEFT,
            right: WIDTH - RIGHT,
            width: WIDTH,
            curves: self
                .series
                .iter()
                .map(|curve| (curve.name, texts(curve)))
                .collect(),
            places: places
                .iter()
                .map(|place| {
                    (
                        (self.x(*place) * 10.0).round() / 10.0,
                        (self.x_show)(*place),
                    )
                })
                .collect(),
        };
        // Numbers and texts have a way to be written as JSON.
        serde_json::to_string(&points).unwrap_or_default()
    }

    fn draw(&self, svg: &mut String, low: f64, high: f64) -> std::fmt::Result {
        let bottom = HEIGHT - BOTTOM;
        for value in self.y_ticks(low, high) {
            let y = self.y(value, low, high);
            write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}"/><text class="y" x="{}" y="{:.1}">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                (self.y_show)(value)
            )?;
        }
        for (value, label) in &self.x_ticks {
            let x = self.x(*value);
            write!(
                svg,
                r#"<line class="tick" x1="{x:.1}" x2="{x:.1}" y1="{bottom}" y2="{}"/><text class="x" x="{x:.1}" y="{}">{label}</text>"#,
                bottom + 5.0,
                bottom + 18.0
            )?;
        }
        write!(
            svg,
            r#"<text class="x" x="{:.1}" y="{}">{}</text>"#,
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 6.0,
            self.x_label
        )?;
        for (limit, text) in &self.limits {
            let y = self.y(*limit, low, high);
            let text = maud::html! { (text) }.into_string();
            write!(
                svg,
                r#"<line class="limit" x1="{LEFT}" x2="{0}" y1="{y:.1}" y2="{y:.1}"/><text class="limit" x="{0}" y="{1:.1}">{text}</text>"#,
                WIDTH - RIGHT,
                y - 4.0
            )?;
        }
        write!(
            svg,
            r#"<line class="pointer" visibility="hidden" y1="{TOP}" y2="{bottom}"/>"#
        )?;
        for series in &self.series {
            let mut path = String::new();
            for (x, y) in &series.points {
                let command = if path.is_empty() { 'M' } else { 'L' };
                write!(
                    path,
                    "{command}{:.1} {:.1}",
                    self.x(*x),
                    self.y(*y, low, high)
                )?;
            }
            // The name comes from the profile, and may hold what is markup here.
            let title = maud::html! { title { (series.name) } }.into_string();
            write!(
                svg,
                r#"<path class="line {}" d="{path}">{title}</path>"#,
                series.class
            )?;
        }
        Ok(())
    }

    fn y_range(&self) -> (f64, f64) {
        let values = || {
            self.series
                .iter()
                .flat_map(|series| &series.points)
                .map(|(_, y)| *y)
                .chain(self.limits.iter().map(|(limit, _)| *limit))
        };
        let high = values().fold(1.0_f64, f64::max);
        match self.y_scale {
            // Linear axes hold counts: quarters of at least 4 are whole.
            Scale::Linear => (0.0, nice_above(high.max(4.0))),
            Scale::Log => {
                let low = values().filter(|y| *y > 0.0).fold(high, f64::min).max(1.0);
                (
                    10_f64.powf(low.log10().floor()),
                    10_f64.powf(high.log10().ceil().max(1.0)),
                )
            }
        }
    }

    fn y_ticks(&self, low: f64, high: f64) -> Vec<f64> {
        match self.y_scale {
            Scale::Linear => (0..=4).map(|n| high * f64::from(n) / 4.0).collect(),
            Scale::Log => {
                let mut tick = low;
                let mut ticks = Vec::new();
                while tick <= high * 1.001 {
                    ticks.push(tick);
                    tick *= 10.0;
                }
                ticks
            }
        }
    }

    fn x(&self, value: f64) -> f64 {
        let (from, to) = self.x_range;
        LEFT + (value - from) / (to - from).max(1e-9) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64, low: f64, high: f64) -> f64 {
        let share = match self.y_scale {
            Scale::Linear => (value - low) / (high - low).max(1e-9),
            Scale::Log => {
                let value = value.clamp(low, high);
                (value.log10() - low.log10()) / (high.log10() - low.log10()).max(1e-9)
            }
        };
        TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next of 1, 2, 4, 5, 8, 10 times a power of ten, so that quarters of it read well.
fn nice_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0];
    steps
        .iter()
        .map(|step| step * power)
        .find(|top| *top >= value * 0.999)
        .unwrap_or(10.0 * power)
}

/// Round places along an axis of seconds.
pub(super) fn second_ticks(length: f64) -> Vec<(f64, String)> {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
    ];
    let step = steps
        .into_iter()
        .find(|step| length / step <= 12.0)
        .unwrap_or(7200.0);
    let label = |at: f64| {
        if step >= 60.0 {
            format!("{:.0} min", at / 60.0)
        } else {
            format!("{at:.0} s")
        }
    };
    let count = (length / step).floor() as u32;
    (0..=count)
        .map(|n| f64::from(n) * step)
        .map(|at| (at, label(at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_and_not_markup() {
        let chart = Chart {
            y_scale: Scale::Linear,
            x_range: (0.0, 1.0),
            x_ticks: Vec::new(),
            x_label: "",
            y_show: |value| value.to_string(),
            x_show: |value| value.to_string(),
            series: vec![Curve {
                name: "</title><script>\"",
                class: "c0",
                points: vec![(0.0, 1.0)],
            }],
            limits: vec![(2.0, "<script>".to_owned())],
        };
        let svg = chart.svg();
        assert!(
            svg.contains("&quot;2&quot;") || svg.contains("&quot;1&quot;"),
            "{svg}"
        );
        assert!(!svg.contains("<script>"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"), "{svg}");
    }
}
