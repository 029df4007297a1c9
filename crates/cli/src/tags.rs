//! Tags of vaults and resource groups, as they are typed.

use std::collections::BTreeMap;

/// Reads `NAME=VALUE`.
pub fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it must be `NAME=VALUE`".to_owned()),
    }
}

/// All that were given, if any were.
pub fn given(tags: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
    (!tags.is_empty()).then(|| tags.into_iter().collect())
}

/// `a=b, c=d`.
pub fn text(tags: &BTreeMap<String, String>) -> String {
    tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_name_and_what_follows_the_first_equals_sign() {
        assert_eq!(parse("team=a=b"), Ok(("team".to_owned(), "a=b".to_owned())));
        assert_eq!(parse("empty="), Ok(("empty".to_owned(), String::new())));
        assert!(parse("=x").is_err() && parse("x").is_err());
    }
}
