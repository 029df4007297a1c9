//! The OpenAPI documents, made from the list of all calls ([`crate::calls`]) and from the contract's own types.

use crate::calls::{self, Call, Content};
use crate::{ErrorBody, console};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The management API's document.
pub fn management() -> Value {
    document(
        "Stateward vault: management",
        "The Azure Resource Manager API of Recovery Services vaults, as its clients speak it, and what it has no words for \
         under `…/stateward/…`.",
        &calls::management(),
        &Plane::vault(),
    )
}

/// The agent plane's document.
pub fn agent() -> Value {
    document(
        "Stateward vault: agents",
        "What registered servers call. Every call may be repeated as it was after any failure.",
        &calls::agent(),
        &Plane::vault(),
    )
}

/// The local console's document.
pub fn console() -> Value {
    document(
        "Stateward agent: local console",
        "What a browser page on a protected server asks of the agent there. Served on the loopback address only.",
        &calls::console(),
        &Plane {
            error: |generator| generator.subschema_for::<console::ErrorBody>(),
            security: json!([{ "cookie": [], "requestToken": [] }]),
            schemes: json!({
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "stateward-console-PORT",
                    "description": "Set when the session is opened; PORT is the console's own",
                },
                "requestToken": { "type": "apiKey", "in": "header", "name": console::TOKEN_HEADER },
            }),
        },
    )
}

/// What all calls of a document have in common.
struct Plane {
    /// The type of refusals.
    error: fn(&mut SchemaGenerator) -> Schema,
    /// What a call must bear.
    security: Value,
    /// What that is.
    schemes: Value,
}

impl Plane {
    fn vault() -> Self {
        Self {
            error: |generator| generator.subschema_for::<ErrorBody>(),
            security: json!([{ "token": [] }]),
            schemes: json!({ "token": { "type": "http", "scheme": "bearer" } }),
        }
    }
}

/// The variable parts of paths, and what stands there.
const PARTS: &[(&str, &str)] = &[
    ("subscription", "The subscription's id"),
    ("tenant", "The tenant's id, or `adfs`"),
    ("group", "A resource group's name"),
    ("vault", "A vault's name"),
    ("location", "A location's name"),
    ("name", "The name of what is meant"),
    ("fabric", "`Azure`"),
    ("container", "A server's name: `Windows;` and its id"),
    ("item", "A protected item's id"),
    ("point", "A recovery point's id: its hash in hexadecimal digits"),
    ("policy", "A policy's name"),
    ("job", "A job's id"),
    ("operation", "An operation's id"),
    ("id", "The id of what is meant"),
    ("session", "A session's id"),
    ("pack", "A pack's id: its hash in hexadecimal digits"),
    ("sequence", "A recovery point's place in its server's chain"),
    ("hash", "An object's hash in hexadecimal digits"),
    ("epoch", "A key epoch's number"),
    ("command", "A command's id"),
    ("code", "A code, such as `vault-unreachable`"),
];

fn document(title: &str, description: &str, calls: &[Call], plane: &Plane) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for call in calls {
        let operation = operation(&mut generator, call, plane);
        let path = paths.entry(call.path.clone()).or_insert_with(|| json!({}));
        path[call.method.to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "description": description, "version": env!("CARGO_PKG_VERSION") },
        "security": plane.security,
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": plane.schemes,
        },
    })
}

fn operation(generator: &mut SchemaGenerator, call: &Call, plane: &Plane) -> Value {
    let mut responses = Map::new();
    for (status, content) in &call.gives {
        let mut response = json!({ "description": meaning(*status) });
        if let Some(content) = content {
            response["content"] = described(generator, *content);
        }
        responses.insert(status.to_string(), response);
    }
    let error = (plane.error)(generator);
    let error = json!({ "description": "Why not", "content": { "application/json": { "schema": error } } });
    responses.insert("default".to_owned(), error);
    let mut operation = json!({
        "operationId": call.name, "summary": call.summary, "parameters": parameters(call), "responses": responses,
    });
    if let Some(content) = call.takes {
        operation["requestBody"] = json!({ "content": described(generator, content) });
    }
    if call.is_open {
        operation["security"] = json!([]);
    }
    operation
}

fn described(generator: &mut SchemaGenerator, content: Content) -> Value {
    match content {
        Content::Json(describe) => json!({ "application/json": { "schema": describe(generator) } }),
        Content::Form(describe) => {
            json!({ "application/x-www-form-urlencoded": { "schema": describe(generator) } })
        }
        Content::Bytes => json!({ "application/octet-stream": {} }),
        Content::Events => json!({ "text/event-stream": {} }),
    }
}

/// What stands in a call's path and what follows its `?`.
fn parameters(call: &Call) -> Vec<Value> {
    let text = |name: &str, place: &str, meaning: &str, is_needed: bool| {
        json!({
            "name": name, "in": place, "description": meaning, "required": is_needed, "schema": { "type": "string" },
        })
    };
    let mut all: Vec<Value> = parts(&call.path)
        .map(|part| {
            let found = PARTS.iter().find(|(name, _)| *name == part);
            let (name, meaning) = found.expect("each variable part of a path stands in the table");
            text(name, "path", meaning, true)
        })
        .collect();
    if call.path.starts_with("/subscriptions") || call.path.starts_with("/metadata") {
        all.push(text("api-version", "query", "A date, such as `2024-04-01`; any is taken", true));
    }
    all.extend(call.query.iter().map(|(name, meaning)| text(name, "query", meaning, false)));
    all
}

/// The variable parts of a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done",
        201 => "Made",
        202 => "Goes on: `Azure-AsyncOperation` says where that is told",
        204 => "Done; there is nothing to say",
        206 => "The part that was asked for",
        304 => "As it was",
        _ => "Answered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// All `$ref`s of a document.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => (),
        }
    }

    #[test]
    fn every_reference_leads_to_a_type_and_every_name_is_used_once() {
        let documents =
            [(management(), calls::management()), (agent(), calls::agent()), (console(), calls::console())];
        for (document, calls) in documents {
            let mut found = BTreeSet::new();
            references(&document, &mut found);
            assert!(!found.is_empty());
            for reference in found {
                let pointer = reference.trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            let names: BTreeSet<&str> = calls.iter().map(|call| call.name).collect();
            assert_eq!(names.len(), calls.len(), "a call's name is used twice");
            let places: BTreeSet<(&str, &str)> =
                calls.iter().map(|call| (call.method, call.path.as_str())).collect();
            assert_eq!(places.len(), calls.len(), "a call is listed twice");
        }
    }

    #[test]
    fn names_of_types_are_what_openapi_allows() {
        for document in [management(), agent(), console()] {
            for name in document["components"]["schemas"].as_object().unwrap().keys() {
                assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c)), "{name}");
            }
        }
    }
}
