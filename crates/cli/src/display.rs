//! Tables and lists of facts for people.

use crate::output::{Output, harmless};

/// A table: columns as wide as their widest cell, two spaces between them.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// With these headings; one that begins with `>` stands over a column that is aligned to the right.
    pub fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with('>')).collect();
        let headings = headings.iter().map(|heading| heading.trim_start_matches('>').to_owned()).collect();
        Self { rows: vec![headings], right }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| harmless(cell).into_owned()).collect());
    }

    /// Prints it, or what to say when there is no row.
    pub fn print(&self, output: &Output, empty: &str) {
        match self.rows.len() {
            1 => output.hint(empty),
            _ => self.lines().iter().for_each(|line| output.line(line)),
        }
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.right.len();
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).zip(&self.right).map(|((cell, width), right)| match right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// Facts, one a line, their names in a column.
pub fn facts(output: &Output, facts: &[(&str, String)]) {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, fact) in facts {
        output.line(format_args!("  {name:<width$}  {fact}"));
    }
}

/// A name or path as one line: one that has line breaks could look like several.
pub fn one_line(name: &str) -> String {
    name.replace('\n', "\\n")
}

/// The first digits of an id, as people type them.
pub fn short(id: impl ToString) -> String {
    id.to_string().chars().take(12).collect()
}

/// Whether a recovery point is of one moment, as people read it.
pub fn yes_or_no(answer: Option<bool>) -> String {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not told",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let mut table = Table::new(&["Name", ">Size"]);
        table.row(vec!["a".to_owned(), "1".to_owned()]);
        table.row(vec!["long name".to_owned(), "1,000".to_owned()]);
        assert_eq!(table.lines(), ["Name        Size", "a              1", "long name  1,000"]);
    }
}
