//! Windows' times: hundreds of nanoseconds since the year 1601.

use stateward_model::Timestamp;

/// From 1601 to 1970, in Windows' ticks.
const EPOCH_TICKS: i64 = 116_444_736_000_000_000;

/// Nanoseconds in a tick.
const TICK_NANOSECONDS: i64 = 100;

/// A moment; what lies before 1677 or after 2262 is held at the end of what a timestamp says.
pub fn from_ticks(ticks: i64) -> Timestamp {
    Timestamp(ticks.saturating_sub(EPOCH_TICKS).saturating_mul(TICK_NANOSECONDS))
}

/// The tick in which a moment lies.
pub fn to_ticks(moment: Timestamp) -> i64 {
    moment.0.div_euclid(TICK_NANOSECONDS).saturating_add(EPOCH_TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_to_the_tick_and_far_ones_are_held_at_the_end() {
        assert_eq!(from_ticks(EPOCH_TICKS), Timestamp(0));
        assert_eq!(from_ticks(133_444_736_001_234_567), Timestamp(1_700_000_000_123_456_700));
        for ticks in [EPOCH_TICKS, EPOCH_TICKS - 1, 133_444_736_001_234_567] {
            assert_eq!(to_ticks(from_ticks(ticks)), ticks);
        }
        assert_eq!(to_ticks(Timestamp(-1)), EPOCH_TICKS - 1);
        assert_eq!(from_ticks(0), Timestamp(i64::MIN));
        assert_eq!(from_ticks(i64::MAX), Timestamp(i64::MAX));
    }
}
