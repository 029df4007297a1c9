//! Numbers with the word for what is counted.

/// `1 file`, `2 files`, `0 files`. For words whose plural ends in `s` alone.
pub fn counted(number: u64, one: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_is_not_many() {
        let told = [0, 1, 2, 1000].map(|number| counted(number, "registered server"));
        let expected = [
            "0 registered servers",
            "1 registered server",
            "2 registered servers",
            "1000 registered servers",
        ];
        assert_eq!(told, expected);
    }
}
