//! The labels of volumes in `diskpart`'s table: a name that people gave, in a column that is known by the line of dashes above it,
//! whatever language the rest is in.

use super::names::NameKind;
use super::redaction::Redaction;

/// Where the table has a column: from which place, and how wide.
type Column = (usize, usize);

/// `Volume ###  Ltr  Label`: the third of at least so many columns, behind one of three places.
const COLUMNS_LEAST: usize = 7;

/// How many places of a console a character takes.
fn places(letter: char) -> usize {
    // Scripts whose characters are twice as wide as Latin ones begin here.
    if letter >= '\u{1100}' { 2 } else { 1 }
}

/// The columns that a line of dashes shows.
fn columns(line: &str) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut is_in = false;
    for (place, letter) in line.trim_end().chars().enumerate() {
        match (letter, is_in) {
            ('-', true) => columns.last_mut().into_iter().for_each(|column| column.1 += 1),
            ('-', false) => columns.push((place, 1)),
            (' ', _) => {}
            _ => return Vec::new(),
        }
        is_in = letter == '-';
    }
    columns
}

/// What stands in a column, by its bytes in the line.
fn cell(line: &str, column: Column) -> Option<(usize, usize)> {
    let (mut place, mut begin, mut end) = (0, None, None);
    for (at, letter) in line.char_indices() {
        if place >= column.0 && place < column.0 + column.1 {
            begin = begin.or(Some(at));
            end = Some(at + letter.len_utf8());
        }
        place += places(letter);
    }
    Some((begin?, end?))
}

/// The same text with each label's stand-in in its place, of which `redaction` learns.
pub(super) fn without_labels(text: &str, redaction: &mut Redaction) -> String {
    let (mut kept, mut column) = (String::with_capacity(text.len()), None);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let shown = columns(content);
        if content.trim().is_empty() {
            column = None;
        } else if !shown.is_empty() {
            column = (shown.len() >= COLUMNS_LEAST && shown[1].1 == 3).then(|| shown[2]);
        } else if let Some((begin, end)) = column.and_then(|column| cell(content, column)) {
            let width: usize = content[begin..end].chars().map(places).sum();
            let stand_in = redaction.learn(NameKind::Label, &content[begin..end]).map(|stand_in| {
                // A name as wide as its column was cut: what follows its letters elsewhere is its rest.
                format!("{stand_in:<width$}")
            });
            kept.push_str(&line[..begin]);
            kept.push_str(stand_in.as_deref().unwrap_or(&content[begin..end]));
            kept.push_str(&line[end..]);
            continue;
        }
        kept.push_str(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\r\n  Volume ###  Bst  Bezeichnung  DS     Typ         Größe    Status     Info\r\n\
        \x20 ----------  ---  -----------  -----  ----------  -------  ---------  --------\r\n\
        \x20 Volume 0     C                NTFS   Partition     99 GB  Fehlerfre  Boot\r\n\
        \x20 Volume 1     D   Kunden Hube  NTFS   Partition     99 GB  Fehlerfre\r\n\
        \x20 Volume 2         山田         NTFS   Partition     99 GB  Fehlerfre\r\n\
        \x20   C:\\Mount\\\r\n\
        \x20 Volume 3     E   System       NTFS   Partition     99 GB  Fehlerfre\r\n\r\nKunden Huber: 1\r\n";

    #[test]
    fn labels_are_taken_out_where_they_stand_and_everywhere_else() {
        let mut redaction = Redaction::default();
        let told = without_labels(TABLE, &mut redaction);
        assert!(told.contains("D   label-1      NTFS"), "{told}");
        assert!(told.contains("    label-2      NTFS") || told.contains("    label-2    NTFS"), "{told}");
        assert!(told.contains("E   System       NTFS") && told.contains("C                NTFS"), "{told}");
        assert_eq!(redaction.text(&told, false).matches("Kunden").count(), 0);
    }

    #[test]
    fn texts_without_such_a_table_stay_as_they_are() {
        for text in [
            "",
            "---",
            "  ---  ---  ---\r\nDisk 0  x  y\r\n",
            "a - b\n",
            "-- -- -- -- -- -- --\nlonger than that\n",
        ] {
            assert_eq!(without_labels(text, &mut Redaction::default()), text);
        }
    }
}
