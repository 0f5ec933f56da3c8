//! Student's confidence interval of a mean, and of a ratio.

/// The mean and half the width of its 95 % interval.
pub(crate) fn student_interval(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (count - 1) as f64 / count as f64).sqrt();
    Some((mean, student_95(count - 1) * error))
}

/// The geometric mean of ratios that are given as logarithms, and its 95 % interval.
pub(crate) fn ratio_interval(logs: &[f64]) -> Option<(f64, (f64, f64))> {
    let (mean, half) = student_interval(logs)?;
    Some((mean.exp(), ((mean - half).exp(), (mean + half).exp())))
}

/// The geometric mean; 1 of nothing.
pub(crate) fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| {
        (sum + value.ln(), count + 1)
    });
    (sum / f64::from(count.max(1))).exp()
}

/// The two-sided 95 % quantile of Student's distribution.
fn student_95(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042,
    ];
    // Between the last entry and infinity it falls from 2.042 to 1.960; the larger is the safer.
    TABLE
        .get(freedom.saturating_sub(1))
        .copied()
        .unwrap_or(2.042)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        let (mean, half) = student_interval(&[1.0, 2.0, 3.0]).expect("three values");
        assert!((mean - 2.0).abs() < 1e-12 && (half - 4.303 / 3f64.sqrt()).abs() < 1e-9);
        assert!(student_interval(&[1.0]).is_none());
        let (ratio, (low, high)) = ratio_interval(&[-0.5, 0.5]).expect("two values");
        assert!((ratio - 1.0).abs() < 1e-12 && (low * high - 1.0).abs() < 1e-9 && low < 1.0);
        assert!((geometric_mean([2.0, 8.0].into_iter()) - 4.0).abs() < 1e-12);
    }
}
