//! Reading Rust source just well enough for the rules: which lines are code, which are tests, what stands in quotes.

/// A file's text before its trailing `#[cfg(test)]` module.
pub fn production_part(text: &str) -> &str {
    let marker = "\n#[cfg(test)]\nmod ";
    match text.find(marker) {
        Some(at) => &text[..=at],
        None => text,
    }
}

/// A line without its comment: what is before a `//` that stands outside of quotes.
pub fn without_comment(line: &str) -> &str {
    let mut in_quotes = false;
    let mut previous = ' ';
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if previous != '\\' && previous != '\'' => in_quotes = !in_quotes,
            '/' if previous == '/' && !in_quotes => return &line[..at - 1],
            _ => {}
        }
        previous = letter;
    }
    line
}

/// Whether `word` stands in `text` with no letter, digit or `_` at either side.
pub fn has_word(text: &str, word: &str) -> bool {
    let inside = |letter: Option<char>| letter.is_some_and(|found| found.is_alphanumeric() || found == '_');
    text.match_indices(word).any(|(at, _)| {
        !inside(text[..at].chars().next_back()) && !inside(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_end_are_no_production_part() {
        assert_eq!(production_part("fn a() {}\n\n#[cfg(test)]\nmod tests;\n"), "fn a() {}\n\n");
        assert_eq!(production_part("fn a() {}\n"), "fn a() {}\n");
    }

    #[test]
    fn a_comment_is_cut_and_quoted_slashes_are_not() {
        assert_eq!(without_comment("a(); // b"), "a(); ");
        assert_eq!(without_comment("a(\"https://b\");"), "a(\"https://b\");");
        assert_eq!(without_comment("a('\"'); // \"b\""), "a('\"'); ");
        assert_eq!(without_comment("/// text"), "");
    }

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert!(has_word("use sqlx::query;", "sqlx"));
        assert!(!has_word("use my_sqlx::query;", "sqlx"));
        assert!(!has_word("unsafely", "unsafe"));
    }
}
