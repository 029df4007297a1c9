//! Things that are known by their shape: ids, security ids, addresses. Each function gives what a text begins with.

use crate::server_backup::roles::WriterId;

/// How long an id of the shape `e8132975-6f93-4464-a53e-1050253ae220` is.
const GUID_BYTES: usize = 36;

/// An id, without braces.
pub(super) fn guid(text: &str) -> Option<&str> {
    let id = text.get(..GUID_BYTES)?;
    (!id.starts_with('{') && WriterId::parse(id).is_some()).then_some(id)
}

/// A security id that says which account or machine; those that are the same everywhere have few numbers.
pub(super) fn security_id(text: &str) -> Option<&str> {
    let begin = text.get(..2).filter(|begin| begin.eq_ignore_ascii_case("S-"))?;
    let rest = &text[begin.len()..];
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
    let id = text[..begin.len() + length].trim_end_matches('-');
    (id.split('-').count() > 5).then_some(id)
}

/// An address of IPv4. Versions of Windows look like one; but their third number is larger than any in an address.
pub(super) fn address(text: &str) -> Option<&str> {
    let length = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let address = text[..length].trim_end_matches('.');
    let numbers: Vec<&str> = address.split('.').collect();
    (numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok())).then_some(address)
}

/// Somebody's address or sign-in name: `name@domain`.
pub(super) fn mail(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@');
    let length = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    let word = text[..length].trim_end_matches('.');
    let (name, domain) = word.split_once('@')?;
    (!name.is_empty() && !domain.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_is_known_and_nothing_that_only_begins_like_it() {
        assert_eq!(
            guid("1bddd48e-5052-49db-9b07-b96f96727e6b}x"),
            Some("1bddd48e-5052-49db-9b07-b96f96727e6b")
        );
        assert_eq!(guid("1bddd48e-5052-49db-9b07-b96f9672"), None);
        assert_eq!(security_id("s-1-5-21-1-2-3-500: x"), Some("s-1-5-21-1-2-3-500"));
        assert_eq!(security_id("S-1-5-32-544"), None);
        assert_eq!(security_id("S-mode"), None);
        assert_eq!(address("10.0.0.7."), Some("10.0.0.7"));
        for other in ["10.0.20348.1", "1.0", "1.2.3.4.5", ""] {
            assert_eq!(address(other), None, "{other}");
        }
        assert_eq!(mail("j@x.example."), Some("j@x.example"));
        assert_eq!(mail("@x"), None);
    }
}
