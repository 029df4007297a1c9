//! How much a restore holds in memory: of entries, and of what it will have to tell.

use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Content, Entry, EntryKind};

/// How many bytes of warnings, or of losses, are kept for the outcome.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// How much of a list of warnings is kept.
#[derive(Default)]
pub(super) struct Kept {
    bytes: usize,
}

impl Kept {
    /// Keeps a warning while there is room for it.
    pub(super) fn push(&mut self, kept: &mut Vec<Warning>, warning: Warning) {
        self.bytes += size_of::<Warning>() + warning.path.len() + warning.message.len();
        if self.bytes <= KEPT_BYTES_MAX {
            kept.push(warning);
        }
    }
}

/// About how much memory an entry takes.
pub(super) fn metadata_bytes(entry: &Entry) -> usize {
    let extended = entry.metadata.extended_attributes.iter().map(|one| one.name.len() + one.value.len());
    let others = entry.metadata.attributes.iter().map(|attribute| match attribute {
        Attribute::SecurityDescriptor(bytes) | Attribute::ExtendedAttributeBlock(bytes) => bytes.len(),
        Attribute::ReparsePoint { data, .. } => data.len(),
        Attribute::Unknown { value, .. } => value.len(),
        Attribute::Stream(stream) => stream.name.len() + content_bytes(&stream.content),
        _ => 0,
    });
    let content = match &entry.kind {
        EntryKind::File { content, .. } => content_bytes(content),
        _ => 0,
    };
    let parts = entry.metadata.extended_attributes.len() + entry.metadata.attributes.len();
    size_of::<Entry>() + parts * 64 + content + extended.sum::<usize>() + others.sum::<usize>()
}

fn content_bytes(content: &Content) -> usize {
    match content {
        Content::Inline(pieces) => size_of_val(pieces.as_slice()),
        Content::Listed(stream) => size_of_val(stream.chunks.as_slice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_not_kept() {
        let (mut kept, mut list) = (Kept::default(), Vec::new());
        let one = Warning { code: String::new(), path: vec![0; 1 << 20], message: String::new() };
        (0..100).for_each(|_| kept.push(&mut list, one.clone()));
        assert_eq!(list.len(), 15);
    }
}
