//! The OpenAPI documents, written from the contract's list of calls and its types, so that they cannot drift.

use crate::tidy::Failure;
use crate::tree::access;
use serde_json::Value;
use std::path::Path;

/// The folder of the documents.
const FOLDER: &str = "openapi";

/// Writes the documents anew, or only tells which are not as they should be.
///
/// # Errors
/// When a document cannot be written.
pub fn run(root: &Path, is_check: bool) -> Result<Vec<&'static str>, Failure> {
    let documents = [
        ("openapi/vault-management.json", stateward_api::openapi::management()),
        ("openapi/vault-agent.json", stateward_api::openapi::agent()),
        ("openapi/console.json", stateward_api::openapi::console()),
    ];
    let mut stale = Vec::new();
    for (name, document) in documents {
        let (path, text) = (root.join(name), text_of(&document));
        if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        stale.push(name);
        if !is_check {
            let folder = root.join(FOLDER);
            std::fs::create_dir_all(&folder).map_err(access(&folder))?;
            std::fs::write(&path, text).map_err(access(&path))?;
        }
    }
    Ok(stale)
}

fn text_of(document: &Value) -> String {
    let text = serde_json::to_string_pretty(document).expect("a document is text, numbers and lists");
    text + "\n"
}
