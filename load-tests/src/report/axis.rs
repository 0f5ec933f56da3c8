//! Axes: where a value stands between the ends of its axis, and which values are written beside it.

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    Linear,
    Log,
}

/// A vertical axis with round ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// The axis that these values fit on.
    pub(super) fn over(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Axis {
        let high = values.clone().fold(1.0_f64, f64::max);
        let (low, high) = match scale {
            // Linear axes hold counts: halves of at least 4 are whole.
            Scale::Linear => (0.0, nice_above(high.max(4.0))),
            Scale::Log => {
                let low = values.filter(|value| *value > 0.0).fold(high, f64::min);
                (
                    10_f64.powf(low.max(1.0).log10().floor()),
                    10_f64.powf(high.log10().ceil().max(1.0)),
                )
            }
        };
        Axis { scale, low, high }
    }

    /// The distance of a value from the top, as a share of the axis.
    pub(super) fn down(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => {
                let decades = |value: f64| (value.clamp(self.low, self.high) / self.low).log10();
                decades(value) / decades(self.high).max(1e-9)
            }
        };
        1.0 - share.clamp(0.0, 1.0)
    }

    /// The values that are written beside it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => vec![0.0, self.high / 2.0, self.high],
            Scale::Log => {
                let decades = (self.high / self.low).log10().round() as i32;
                (0..=decades).map(|n| self.low * 10_f64.powi(n)).collect()
            }
        }
    }
}

/// The next of 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 times a power of ten, so that halves of it read well.
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
    fn every_value_stands_between_the_ends_and_the_ticks_too() {
        let counts = Axis::over(Scale::Linear, [0.0, 37.0].into_iter());
        assert_eq!(counts.ticks(), [0.0, 20.0, 40.0]);
        assert_eq!((counts.down(0.0), counts.down(10.0)), (1.0, 0.75));
        let latency = Axis::over(Scale::Log, [0.0, 200.0, 50_000.0].into_iter());
        let ticks = latency.ticks();
        assert_eq!(ticks.len(), 4, "{ticks:?}");
        assert!((latency.down(1_000.0) - 2.0 / 3.0).abs() < 1e-9);
        // What the axis cannot hold stands at its end.
        assert_eq!((latency.down(0.0), latency.down(1e9)), (1.0, 0.0));
    }
}
