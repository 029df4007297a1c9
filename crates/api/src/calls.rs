//! All calls in one list: method, path, what is sent and what comes back. The documents in `openapi/` are written from it, and
//! the tables of routes of the vault and of the local console are tested against it, so neither can have a call that the other does
//! not know.
//!
//! Begin with [`management`], [`agent`] and [`console`].

mod agent_plane;
mod console_plane;
mod management_plane;

pub use agent_plane::calls as agent;
pub use console_plane::calls as console;
pub use management_plane::calls as management;

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// How a type of the contract is described.
type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What is sent or comes back.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// JSON of this type.
    Json(Describe),
    /// A form, whose fields are this type's.
    Form(Describe),
    /// Bytes: an object as it is stored.
    Bytes,
    /// Server-sent events.
    Events,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `PUT` …
    pub method: &'static str,
    /// Its path, with its variable parts in braces.
    pub path: String,
    /// Its name: a verb and a noun.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What follows the `?`, besides `api-version`: name and meaning.
    pub query: Vec<(&'static str, &'static str)>,
    /// What is sent.
    pub takes: Option<Content>,
    /// What comes back, by status.
    pub gives: Vec<(u16, Option<Content>)>,
    /// Whether it needs no token.
    pub is_open: bool,
}

impl Call {
    fn new(method: &'static str, path: impl Into<String>, name: &'static str, summary: &'static str) -> Self {
        let (path, query) = (path.into(), Vec::new());
        Self { method, path, name, summary, query, takes: None, gives: Vec::new(), is_open: false }
    }

    /// With JSON of that type.
    fn takes<T: JsonSchema>(self) -> Self {
        self.takes_content(Content::Json(describe::<T>))
    }

    fn takes_content(mut self, content: Content) -> Self {
        self.takes = Some(content);
        self
    }

    /// Answered by JSON of that type.
    fn gives<T: JsonSchema>(self, status: u16) -> Self {
        self.gives_content(status, Content::Json(describe::<T>))
    }

    fn gives_content(mut self, status: u16, content: Content) -> Self {
        self.gives.push((status, Some(content)));
        self
    }

    /// Answered by nothing but a status.
    fn answers(mut self, status: u16) -> Self {
        self.gives.push((status, None));
        self
    }

    /// Answered by a list, page by page.
    fn lists<T: JsonSchema>(self) -> Self {
        self.gives::<crate::arm::List<T>>(200)
            .asks("$skipToken", "Which page, as the list's `nextLink` has it")
    }

    /// A list that `$filter` narrows, by these keys.
    fn filtered(self, keys: &'static str) -> Self {
        self.asks("$filter", keys)
    }

    fn asks(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.query.push((name, meaning));
        self
    }

    /// Needs no token.
    fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

fn describe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn get(path: impl Into<String>, name: &'static str, summary: &'static str) -> Call {
    Call::new("GET", path, name, summary)
}

fn put(path: impl Into<String>, name: &'static str, summary: &'static str) -> Call {
    Call::new("PUT", path, name, summary)
}

fn patch(path: impl Into<String>, name: &'static str, summary: &'static str) -> Call {
    Call::new("PATCH", path, name, summary)
}

fn post(path: impl Into<String>, name: &'static str, summary: &'static str) -> Call {
    Call::new("POST", path, name, summary)
}

fn delete(path: impl Into<String>, name: &'static str, summary: &'static str) -> Call {
    Call::new("DELETE", path, name, summary)
}
