//! Strings that nobody else would write, and the search for them in what a vault keeps.

use crate::vault::files_below;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fs;
use std::path::{Path, PathBuf};

/// Every form in which a text might leak: as it is, as UTF-16, as hexadecimal digits of both cases, as Base64 at each of
/// its three alignments and with
/// both alphabets (without the characters at the ends that depend on what stands beside it).
pub fn forms(canary: &str) -> Vec<Vec<u8>> {
    let bytes = canary.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        canary.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for shift in 0..3 {
        let shifted = [&[0; 2][..shift], bytes].concat();
        let text = STANDARD_NO_PAD.encode(shifted);
        let first = [0, 2, 3][shift];
        let text = &text[first..text.len() - 2];
        forms.push(text.as_bytes().to_vec());
        forms.push(text.replace('+', "-").replace('/', "_").into_bytes());
    }
    forms
}

/// Where any form of a text stands: in names or contents below a folder.
pub fn find_below(folder: &Path, canary: &str) -> Vec<PathBuf> {
    let forms = forms(canary);
    let mut files = Vec::new();
    files_below(folder, &mut files);
    let holds = |path: &PathBuf| {
        let name = path.strip_prefix(folder).unwrap_or(path).as_os_str().as_encoded_bytes();
        is_in(name, &forms) || fs::read(path).is_ok_and(|bytes| is_in(&bytes, &forms))
    };
    files.into_iter().filter(holds).collect()
}

/// Whether any form stands in these bytes.
pub fn is_in(bytes: &[u8], forms: &[Vec<u8>]) -> bool {
    forms.iter().any(|form| {
        let Some((&first, rest)) = form.split_first() else { return false };
        let mut from = 0;
        while let Some(at) = bytes[from..].iter().position(|&byte| byte == first) {
            from += at + 1;
            if bytes[from..].starts_with(rest) {
                return true;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_every_form_it_may_take() {
        let canary = "canary-7f3a-wing";
        let folder = tempfile::tempdir().unwrap();
        for before in ["", "x", "xy"] {
            let inside = format!("{before}{canary}z");
            let hex: String = inside.bytes().map(|byte| format!("{byte:02x}")).collect();
            let base64 = STANDARD_NO_PAD.encode(&inside);
            for form in [inside, hex, base64] {
                fs::write(folder.path().join("file"), form).unwrap();
                assert_eq!(find_below(folder.path(), canary).len(), 1);
            }
        }
        fs::write(folder.path().join("file"), "nothing").unwrap();
        assert!(find_below(folder.path(), canary).is_empty());
        fs::write(folder.path().join(canary), "nothing").unwrap();
        assert_eq!(find_below(folder.path(), canary).len(), 1);
    }
}
