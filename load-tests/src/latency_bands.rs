//! Bands of latency, eight to a factor of ten: what a second's distribution is kept as.

use hdrhistogram::Histogram;

/// The bands of a factor of ten.
pub(crate) const BANDS_PER_DECADE: u32 = 8;

/// How many values each band holds, up to the last band that holds one. Band n begins with
/// [`band_from_us`]`(n)`.
pub(crate) fn counts(histogram: &Histogram<u64>) -> Vec<u64> {
    let mut counts = Vec::new();
    for value in histogram.iter_recorded() {
        let band = band_of(value.value_iterated_to());
        counts.resize(counts.len().max(band + 1), 0);
        counts[band] += value.count_at_value();
    }
    counts
}

/// The least latency of a band, in microseconds. What is below one microsecond is in band 0.
pub(crate) fn band_from_us(band: usize) -> f64 {
    10_f64.powf(band as f64 / f64::from(BANDS_PER_DECADE))
}

fn band_of(micros: u64) -> usize {
    ((micros.max(1) as f64).log10() * f64::from(BANDS_PER_DECADE)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_band_that_begins_below_it() {
        let mut histogram = Histogram::new(3).expect("three digits");
        for value in [0, 1, 9, 10, 999, 1000, 1001, 60_000_000] {
            histogram.record(value).expect("it resizes");
        }
        let counts = counts(&histogram);
        assert_eq!(counts.iter().sum::<u64>(), 8);
        assert_eq!((counts[0], counts[7], counts[8]), (2, 1, 1));
        assert_eq!((counts[23], counts[24]), (1, 2));
        assert_eq!(counts.last(), Some(&1));
        let last = counts.len() - 1;
        assert!(band_from_us(last) <= 60e6 && band_from_us(last + 1) > 60e6);
    }
}
