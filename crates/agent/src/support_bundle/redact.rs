//! What is taken out of a text before it goes into a bundle: secrets always, paths unless names are asked for.
//!
//! A path is known by its beginning, and where it ends nobody can tell, for names may hold anything: so everything goes from
//! there to the end of the line, or to the line's last quote where the path was quoted. Too much is taken out rather than too
//! little.

use crate::{Home, proxy};
use serde_json::Value;
use stateward_api::credentials::encode_base64;
use std::borrow::Cow;
use std::fs;

const SECRET: &str = "<secret>";
const PATH: &str = "<path>";

/// The fields of the home's files that hold secrets.
const SECRET_FIELDS: [&str; 8] = [
    "login_key",
    "data_key",
    "signing_key",
    "client_secret",
    "secret",
    "password",
    "webhook_address",
    "token",
];

/// The fields of records, settings and items that hold paths, in whatever form.
const PATH_FIELDS: [&str; 9] =
    ["path", "path_base64", "paths", "target", "root", "restore_root", "folder", "cache", "base64url"];

/// A shorter secret is none that could be found in a text: it would be found everywhere.
const SECRET_BYTES_LEAST: usize = 4;

/// Takes out what must not leave the server.
pub struct Redactor {
    secrets: Vec<String>,
    with_names: bool,
}

impl Redactor {
    /// That knows the secrets of a home.
    pub fn of(home: &Home, with_names: bool) -> Self {
        let mut secrets = Vec::new();
        let keys = fs::read_dir(home.keys()).into_iter().flatten().flatten().map(|entry| entry.path());
        let others = ["admin.json", "session.json"].map(|name| home.path().join(name));
        for path in keys.chain(others) {
            let text = fs::read_to_string(path).unwrap_or_default();
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                collect(&value, &mut secrets);
            }
        }
        if let Ok(Some(proxy)) = proxy::find(home)
            && let (Some(user), Some(password)) = (proxy.user(), proxy.password())
        {
            secrets.push(encode_base64(format!("{user}:{password}").as_bytes()));
        }
        secrets.retain(|secret| secret.len() >= SECRET_BYTES_LEAST);
        // A secret that is part of another would leave the rest of that.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, with_names }
    }

    fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), SECRET));
            }
        }
        text
    }

    /// A text of one or more lines.
    pub fn text(&self, text: &str) -> String {
        let text = self.without_secrets(text);
        match self.with_names {
            true => text.into_owned(),
            // A name may hold a line break: what follows on the next line is its rest.
            false => without_paths(&text.replace('\n', " ")),
        }
    }

    /// A log: each line by itself. A line that does not begin with a time is the rest of the one before, perhaps of a name.
    pub fn log(&self, log: &str) -> String {
        let log = self.without_secrets(log);
        if self.with_names {
            return log.into_owned();
        }
        let begins_anew = |line: &str| line.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let mut kept = String::with_capacity(log.len());
        for line in log.lines().filter(|line| begins_anew(line)) {
            kept.push_str(&without_paths(line));
            kept.push('\n');
        }
        kept
    }

    /// A document: its fields that hold paths, and whatever stands in its texts.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(all) => all.into_iter().map(|one| self.value(one)).collect(),
            Value::Object(fields) => Value::Object(
                fields.into_iter().map(|(name, value)| (name.clone(), self.field(&name, value))).collect(),
            ),
            other => other,
        }
    }

    fn field(&self, name: &str, value: Value) -> Value {
        match value {
            Value::Null => Value::Null,
            _ if SECRET_FIELDS.contains(&name) => Value::from(SECRET),
            Value::Array(all) if !self.with_names && PATH_FIELDS.contains(&name) => {
                Value::from(vec![PATH; all.len()])
            }
            _ if !self.with_names && PATH_FIELDS.contains(&name) => Value::from(PATH),
            value => self.value(value),
        }
    }
}

/// All texts in fields that hold secrets.
fn collect(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) => {
                        secrets.push(text.clone());
                    }
                    value => collect(value, secrets),
                }
            }
        }
        _ => (),
    }
}

/// One line without paths.
fn without_paths(line: &str) -> String {
    let Some(at) = first_path(line) else { return line.to_owned() };
    let (before, path) = line.split_at(at);
    let quote = before.chars().next_back().filter(|c| matches!(c, '`' | '"' | '\''));
    let rest = quote.and_then(|quote| path.rfind(quote)).map_or("", |end| &path[end..]);
    format!("{before}{PATH}{rest}")
}

/// Where the first word begins that has a slash of either kind in it. Addresses of vaults and proxies are none.
fn first_path(line: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = line.as_bytes().get(at) {
        match byte {
            b':' if line[at..].starts_with("://") => at += address_length(&line[at..]),
            b'/' | b'\\' => return Some(word_begin(line, at)),
            _ => at += 1,
        }
    }
    None
}

/// Where the word begins that the byte at `at` stands in.
fn word_begin(line: &str, at: usize) -> usize {
    let is_border = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '=' | '(');
    line[..at]
        .rfind(is_border)
        .map_or(0, |border| border + line[border..].chars().next().map_or(1, char::len_utf8))
}

/// How long an address is from its `://` on: to where no address can go on.
fn address_length(text: &str) -> usize {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ')' | ',' | '<');
    text.find(is_end).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redactor(secrets: &[&str], with_names: bool) -> Redactor {
        Redactor { secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(), with_names }
    }

    #[test]
    fn from_a_path_on_nothing_of_a_line_is_kept_but_what_follows_its_quote() {
        let none = redactor(&[], false);
        let cases = [
            ("`/home/jane/My Taxes` can't be read: denied [x]", "`<path>` can't be read: denied [x]"),
            ("`/a` and `/b c` differ", "`<path>` differ"),
            ("removed path=/srv/My Taxes code=x", "removed path=<path>"),
            ("The folder Documents/tax is gone", "The folder <path>"),
            ("C:\\Users\\jane is open", "<path>"),
            ("asked https://vault.example:7443/health at 3", "asked https://vault.example:7443/health at 3"),
            (
                "(`https://v:1` through the proxy `http://p:2`) and /x y",
                "(`https://v:1` through the proxy `http://p:2`) and <path>",
            ),
            ("Nothing of a path here", "Nothing of a path here"),
            ("`/a\nsecret name` is gone", "`<path>` is gone"),
        ];
        for (text, expected) in cases {
            assert_eq!(none.text(text), expected);
        }
        assert_eq!(redactor(&[], true).text("see /home/jane"), "see /home/jane");
    }

    #[test]
    fn secrets_are_taken_out_even_with_names_and_within_longer_words() {
        let all = redactor(&["geheim-7", "s3cret"], true);
        assert_eq!(all.text("a geheim-7b xs3cret"), "a <secret>b x<secret>");
    }

    #[test]
    fn lines_of_a_log_that_are_the_rest_of_a_name_go() {
        let log = "2026-11-29T03:00:00Z  INFO job begins job=7\nrest of a name\n2026-11-29T03:00:01Z WARN path=/a b\n";
        let kept = redactor(&[], false).log(log);
        assert_eq!(
            kept,
            "2026-11-29T03:00:00Z  INFO job begins job=7\n2026-11-29T03:00:01Z WARN path=<path>\n"
        );
    }

    #[test]
    fn fields_with_paths_and_secrets_lose_them_whatever_their_form() {
        let value = json!({
            "request": { "kind": "Restore", "target": {"base64url": "L2E"}, "paths": ["/a", "/b"] },
            "failure": { "message": "`/x` is full" }, "secret": "abc", "bytes": 7, "cache": null,
        });
        let expected = json!({
            "request": { "kind": "Restore", "target": "<path>", "paths": ["<path>", "<path>"] },
            "failure": { "message": "`<path>` is full" }, "secret": "<secret>", "bytes": 7, "cache": null,
        });
        assert_eq!(redactor(&[], false).value(value), expected);
    }
}
