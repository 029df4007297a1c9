//! How values stand in columns, and how they are read back.

use super::Error;
use stateward_model::{ItemKind, Label};

/// Bytes of a fixed length: an id, a hash, a key.
pub(super) fn fixed<const N: usize>(bytes: Vec<u8>, what: &'static str) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Damaged(what))
}

/// A number that is never negative.
pub(super) fn unsigned(number: i64, what: &'static str) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_| Error::Damaged(what))
}

/// A label.
pub(super) fn label(text: String) -> Result<Label, Error> {
    text.try_into().map_err(|_| Error::Damaged("label"))
}

/// The text for an item's kind.
pub(super) fn kind_text(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::SystemState => "SystemState",
        ItemKind::Files => "Files",
    }
}

/// Reads [`kind_text`].
pub(super) fn kind(text: &str) -> Result<ItemKind, Error> {
    [ItemKind::SystemState, ItemKind::Files]
        .into_iter()
        .find(|kind| kind_text(*kind) == text)
        .ok_or(Error::Damaged("kind of item"))
}

/// What stands as JSON in a column.
pub(super) fn json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::Damaged(what))
}

/// The text for [`json`].
pub(super) fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and times always have a JSON form")
}

/// A word of an enumeration, as serde writes it.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| Error::Damaged(what))
}

/// The text for [`word`].
pub(super) fn word_text(word: impl serde::Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => text,
        _ => unreachable!("only enumerations of words without fields are kept so"),
    }
}
