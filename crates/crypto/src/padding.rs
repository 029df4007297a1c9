//! Padmé: pads a length so that it tells little of what was padded, at a cost of at most 12 % and mostly far less.

/// The padded length of so many bytes.
///
/// Source: Nikitin, Barman, Lueks, Underwood, Hubaux, Ford, "Reducing Metadata Leakage from Encrypted Files and
/// Communication with PURBs", PETS 2019, algorithm 1: a length L keeps as many leading bits as the exponent of L
/// needs, the rest is rounded up, so an observer learns O(log log L) bits. Lengths below 2 stay; so do those too near to
/// 2^64 to be rounded up.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - kept.min(exponent))) - 1;
    length.checked_add(mask).map_or(length, |sum| sum & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn padding_never_shortens_costs_an_eighth_at_most_and_is_stable(bits in 0u32..60, random: u64) {
            let length = random >> bits;
            let padded = padme(length);
            prop_assert!(padded >= length);
            prop_assert!(padded - length <= length / 100 * 12 + 12);
            prop_assert_eq!(padme(padded), padded);
        }

        #[test]
        fn a_longer_text_is_never_padded_shorter(length in 0..u64::MAX - 1) {
            prop_assert!(padme(length) <= padme(length + 1));
        }
    }

    #[test]
    fn the_lengths_are_those_of_the_paper() {
        let cases = [(0, 0), (1, 1), (2, 2), (9, 10), (100, 104), (1000, 1024), (1 << 20, 1 << 20)];
        for (length, padded) in cases {
            assert_eq!(padme(length), padded, "{length}");
        }
        assert_eq!(padme((1 << 20) + 1), (1 << 20) + (1 << 15));
        assert_eq!(padme(u64::MAX), u64::MAX);
    }
}
