//! Whether ratios differ from 1 beyond chance: Student's test over their logarithms, and Holm's bound for many at once.

/// The share of pages without any effect that name one all the same, at most.
pub(super) const PAGES_WRONG_MAX: f64 = 0.05;

/// The probability that chance alone takes the mean of these ratios so far from 1, or further: two-sided, over logarithms.
/// 1 where there are less than two of them, or where one has no logarithm.
pub(super) fn probability(ratios: &[f64]) -> f64 {
    let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    let count = logs.len() as f64;
    if logs.len() < 2 || logs.iter().any(|log| !log.is_finite()) {
        return 1.0;
    }
    let mean = logs.iter().sum::<f64>() / count;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    match (mean == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => student(mean / error, logs.len() - 1),
    }
}

/// The two-sided tail of Student's distribution for a whole number of degrees of freedom (Abramowitz and Stegun, 26.7.3
/// and 26.7.4).
fn student(t: f64, freedom: usize) -> f64 {
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let mut exponent = usize::from(is_odd);
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    while exponent + 2 <= freedom {
        sum += term;
        term *= cosine * cosine * (exponent + 1) as f64 / (exponent + 2) as f64;
        exponent += 2;
    }
    let within = match is_odd {
        true => std::f64::consts::FRAC_2_PI * (angle + sine * sum),
        false => sine * sum,
    };
    (1.0 - within).max(0.0)
}

/// The greatest probability that still excludes chance, where all of these are judged together (Holm); below 0 where none
/// does.
pub(super) fn limit(probabilities: &[f64]) -> f64 {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let held = sorted
        .into_iter()
        .enumerate()
        .take_while(|(place, p)| *p <= PAGES_WRONG_MAX / (count - place) as f64);
    held.last().map_or(-1.0, |(_, p)| p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        for (t, freedom, p) in [
            (12.706, 1, 0.05),
            (4.303, 2, 0.05),
            (3.182, 3, 0.05),
            (2.776, 4, 0.05),
            (4.604, 4, 0.01),
            (2.042, 30, 0.05),
            (3.646, 30, 0.001),
            (3.633, 31, 0.001),
            (0.0, 4, 1.0),
        ] {
            let found = student(-t, freedom);
            assert!((found - p).abs() < 0.01 * p, "{t}, {freedom}: {found}");
        }
    }

    #[test]
    fn too_few_ratios_exclude_nothing() {
        assert_eq!(probability(&[]), 1.0);
        assert_eq!(probability(&[0.5]), 1.0);
        assert_eq!(probability(&[0.5, 0.0, 0.5]), 1.0);
        assert!(probability(&[0.5, 0.51]) > 0.001);
        assert_eq!(probability(&[0.5; 3]), 0.0);
    }

    #[test]
    fn the_more_are_judged_the_less_each_may_be_chance() {
        assert!(limit(&[0.02, 0.5, 0.5, 0.5]) < 0.0);
        assert_eq!(limit(&[0.02]), 0.02);
        assert_eq!(limit(&[0.01, 0.5, 0.015, 0.5]), 0.015);
        assert!(limit(&[]) < 0.0);
    }
}
