//! The table of warnings' codes: what was left out or is not as it should be, while the job went on.
//!
//! The codes are made where things are read and written (`system-state`, `engine`); here they are explained.

/// A warning's code explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarningCode {
    /// The stable name.
    pub code: &'static str,
    /// What it means, as a sentence.
    pub meaning: &'static str,
    /// What to do about it, as a sentence.
    pub remedy: &'static str,
}

/// All that are known, by name.
pub const ALL: &[WarningCode] = &[];

/// The explanation of a code.
pub fn find(code: &str) -> Option<&'static WarningCode> {
    ALL.iter().find(|known| known.code == code)
}
