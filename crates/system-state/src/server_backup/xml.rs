//! Is an XML document whole? Its tags must close each other and nothing may stand behind the last: a file that was cut off
//! or overwritten is none. What it says is not read.

/// No document of a backup is longer, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// No document nests deeper.
const DEPTH_MAX: usize = 256;

/// Why a document is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// It's too long to be one.
    #[error("it is longer than any document of a backup")]
    TooLong,
    /// Its bytes are no text.
    #[error("it is no text")]
    NoText,
    /// It ends in the middle.
    #[error("it ends in the middle")]
    CutOff,
    /// Its tags don't fit.
    #[error("its tags don't fit each other")]
    Tags,
    /// It nests too deep.
    #[error("it nests too deep")]
    TooDeep,
}

/// The topmost element's name, if the document is whole.
pub fn check_document(bytes: &[u8]) -> Result<String, DocumentFault> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentFault::TooLong);
    }
    let text = text_of(bytes)?;
    let (mut rest, mut open, mut top) = (text.trim_start_matches('\u{feff}'), Vec::new(), None);
    while let Some(at) = rest.find('<') {
        if open.is_empty() && !rest[..at].trim().is_empty() {
            return Err(DocumentFault::Tags);
        }
        rest = &rest[at..];
        let skipped = [("<?", "?>"), ("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!DOCTYPE", ">")];
        if let Some((begin, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            let end_at = rest[begin.len()..].find(end).ok_or(DocumentFault::CutOff)?;
            rest = &rest[begin.len() + end_at + end.len()..];
            continue;
        }
        let end = end_of_tag(rest).ok_or(DocumentFault::CutOff)?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                return Err(DocumentFault::Tags);
            }
            continue;
        }
        let name = tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default();
        let is_second = open.is_empty() && top.is_some();
        if is_second || !name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            return Err(DocumentFault::Tags);
        }
        top.get_or_insert(name);
        if !tag.ends_with('/') {
            open.push(name);
        }
        if open.len() > DEPTH_MAX {
            return Err(DocumentFault::TooDeep);
        }
    }
    match top {
        Some(top) if open.is_empty() && rest.trim().is_empty() => Ok(top.to_owned()),
        Some(_) if open.is_empty() => Err(DocumentFault::Tags),
        _ => Err(DocumentFault::CutOff),
    }
}

/// Where the tag ends that a text begins with: at a `>` outside of quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in text.char_indices().skip(1) {
        match (quote, character) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(character),
            (Some(begun), _) if begun == character => quote = None,
            (_, '<') => return None,
            _ => {}
        }
    }
    None
}

/// UTF-16 with a mark, as Windows writes it, or UTF-8.
fn text_of(bytes: &[u8]) -> Result<String, DocumentFault> {
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        match rest.len() % 2 {
            0 => char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| DocumentFault::NoText),
            _ => Err(DocumentFault::CutOff),
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).map_err(|_| DocumentFault::NoText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version=\"1.0\"?>\r\n<!-- a > b -->\r\n<Backup Path='a>b'>\r\n  <Item/>\
                            <Writer id=\"1\"><![CDATA[<x>]]></Writer >\r\n</Backup>\r\n";

    #[test]
    fn a_whole_document_is_whole_in_every_encoding() {
        let units: Vec<u16> = DOCUMENT.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [
            DOCUMENT.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", DOCUMENT.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
        ] {
            assert_eq!(check_document(&bytes).as_deref(), Ok("Backup"));
        }
    }

    #[test]
    fn a_document_that_is_cut_off_anywhere_is_not_whole() {
        let whole = DOCUMENT.trim_end();
        for length in 0..whole.len() {
            assert!(check_document(&whole.as_bytes()[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn what_is_no_document_is_told_by_what_it_is() {
        for (text, fault) in [
            ("<a></b>", DocumentFault::Tags),
            ("<a/><b/>", DocumentFault::Tags),
            ("x<a/>", DocumentFault::Tags),
            ("<a/>x", DocumentFault::Tags),
            ("</a>", DocumentFault::Tags),
            ("<1/>", DocumentFault::Tags),
            ("", DocumentFault::CutOff),
            ("\0\0\0\0", DocumentFault::CutOff),
            ("<a b='<'", DocumentFault::CutOff),
        ] {
            assert_eq!(check_document(text.as_bytes()), Err(fault), "{text}");
        }
        assert_eq!(check_document(b"\x80<a/>"), Err(DocumentFault::NoText));
        assert_eq!(check_document("<a>".repeat(300).as_bytes()), Err(DocumentFault::TooDeep));
    }
}
