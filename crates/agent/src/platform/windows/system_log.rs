//! The system's log: Windows' event log, in the log of applications.

use crate::notifications::Occasion;
use crate::platform::LogAnswer;
use stateward_windows::event_log::{self, Severity, Taken};
use std::io;

/// What events are said to be of. `agent install` makes it known, so that what shows events finds their text.
pub(super) const SOURCE: &str = "Stateward";

/// How grave an event is, and its number: one for each occasion, so that somebody can watch for it.
fn told(occasion: Occasion) -> (Severity, u32) {
    match occasion {
        Occasion::Completed => (Severity::Information, 1),
        Occasion::Warnings => (Severity::Warning, 2),
        Occasion::Failed => (Severity::Error, 3),
    }
}

/// Writes one event.
pub fn write(occasion: Occasion, text: &str) -> io::Result<LogAnswer> {
    let (severity, number) = told(occasion);
    Ok(match event_log::write(SOURCE, severity, number, text)? {
        Taken::Shown => LogAnswer::Told,
        Taken::NotShownYet => LogAnswer::NotShownYet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occasion_has_a_number_that_is_only_its_text() {
        let mut numbers = Occasion::ALL.map(|occasion| told(occasion).1);
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|two| two[0] < two[1]));
        assert!(numbers.iter().all(|number| (1..=1000).contains(number)), "{numbers:?}");
    }
}
