//! `$filter`: `name eq 'value'`, joined by `and`. That much of OData is what clients of Recovery Services send; a key that is
//! not known is refused, for a filter that is passed over shows what was not asked for.

use crate::app::Error;
use stateward_model::Timestamp;

/// The longest filter, in bytes.
const BYTES_MAX: usize = 4096;

/// A filter that was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) struct Filter(Vec<(String, String)>);

impl Filter {
    /// Reads a filter's text; keys are told apart without regard to case.
    pub(super) fn parse(text: &str, keys: &[&str]) -> Result<Self, Error> {
        if text.len() > BYTES_MAX {
            return Err(Error::invalid(format!("The `$filter` is longer than {BYTES_MAX} bytes")));
        }
        let (mut rest, mut found) = (text.trim(), Vec::new());
        loop {
            let (key, after) = word(rest)?;
            let key = keys.iter().find(|known| known.eq_ignore_ascii_case(key)).ok_or_else(|| {
                Error::invalid(format!("The `$filter` has the key `{key}`; known are: {}", keys.join(", ")))
            })?;
            let (operator, after) = word(after)?;
            if !operator.eq_ignore_ascii_case("eq")
                && !operator.eq_ignore_ascii_case("ge")
                && !operator.eq_ignore_ascii_case("le")
            {
                return Err(Error::invalid(format!("The `$filter` has `{operator}` where `eq` should be")));
            }
            let (value, after) = quoted(after)?;
            if found.iter().any(|(known, _)| known == key) {
                return Err(Error::invalid(format!("The `$filter` has the key `{key}` twice")));
            }
            found.push(((*key).to_owned(), value));
            if after.is_empty() {
                return Ok(Self(found));
            }
            let (and, after) = word(after)?;
            if !and.eq_ignore_ascii_case("and") {
                return Err(Error::invalid(format!("The `$filter` has `{and}` where `and` should be")));
            }
            rest = after;
        }
    }

    /// The value that a key must have.
    pub(in crate::http) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether a value is one that the filter lets through. Values are compared without regard to case.
    pub(in crate::http) fn admits(&self, key: &str, value: &str) -> bool {
        self.get(key).is_none_or(|asked| asked.eq_ignore_ascii_case(value))
    }

    /// The value of a key as a moment, in the forms that clients write: RFC 3339, and `2026-11-03 12:00:00 AM` in UTC.
    pub(in crate::http) fn moment(&self, key: &str) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let read = text.parse::<Timestamp>().ok().or_else(|| {
            let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %I:%M:%S %p", text).ok()?;
            let moment = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
            i64::try_from(moment.as_nanosecond()).ok().map(Timestamp)
        });
        read.map(Some).ok_or_else(|| {
            Error::invalid(format!(
                "The `$filter` has the time `{text}`; write it as `2026-11-03 12:00:00 AM`, in UTC"
            ))
        })
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> Result<(&str, &str), Error> {
    let text = text.trim_start();
    let end = text.find(|c: char| c.is_whitespace() || c == '\'').unwrap_or(text.len());
    match end {
        0 => Err(Error::invalid("The `$filter` must be like `status eq 'Failed' and operation eq 'Backup'`")),
        _ => Ok((&text[..end], &text[end..])),
    }
}

/// The text within the quotes at the beginning, and what follows them. A quote within it is written twice.
fn quoted(text: &str) -> Result<(String, &str), Error> {
    let unclosed =
        || Error::invalid("The `$filter` has a value without its quotes: write `status eq 'Failed'`");
    let mut rest = text.trim_start().strip_prefix('\'').ok_or_else(unclosed)?;
    let mut value = String::new();
    loop {
        let end = rest.find('\'').ok_or_else(unclosed)?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Ok((value, rest.trim())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[&str] = &["status", "startTime"];

    #[test]
    fn what_clients_send_is_read() {
        let filter =
            Filter::parse("STATUS eq 'It''s' and startTime eq '2026-11-03 12:00:00 AM'", KEYS).unwrap();
        assert_eq!(filter.get("status"), Some("It's"));
        assert!(
            filter.admits("status", "IT'S") && filter.admits("other", "x") && !filter.admits("status", "x")
        );
        let midnight = filter.moment("startTime").unwrap().unwrap();
        assert_eq!(midnight.to_string(), "2026-11-03T00:00:00Z");
        let noon = Filter::parse("startTime eq '2026-11-03T12:00:00Z'", KEYS).unwrap();
        assert_eq!(noon.moment("startTime").unwrap().unwrap(), midnight.plus_seconds(12 * 3600));
    }

    #[test]
    fn what_is_no_filter_is_refused_with_a_reason() {
        for wrong in [
            "status",
            "status eq",
            "status eq Failed",
            "status eq 'Failed",
            "status ne 'Failed'",
            "status eq 'a' or status eq 'b'",
            "status eq 'a' and",
            "status eq 'a' and status eq 'b'",
            "colour eq 'red'",
            "'",
            &"status eq 'a' and ".repeat(1000),
        ] {
            assert!(Filter::parse(wrong, KEYS).is_err(), "{wrong}");
        }
        assert!(Filter::parse("startTime eq 'soon'", KEYS).unwrap().moment("startTime").is_err());
    }
}
