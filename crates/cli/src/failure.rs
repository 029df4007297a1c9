//! How an error is told: cause, hint and code.

use crate::output::Output;
use serde::Serialize;
use stateward_agent::{AgentError, Code};

/// An error as a line of JSON.
#[derive(Debug, Serialize)]
pub struct ErrorLine<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'a str,
    message: String,
    remedy: &'a str,
}

/// Tells an error.
pub fn print(output: &Output, error: &AgentError) {
    tell(output, error.code(), error.to_string());
}

/// Tells that the command was used wrongly, as JSON; clap has told it to people.
pub fn print_usage(output: &Output, message: String) {
    let code = Code::Usage;
    output.object(&ErrorLine { kind: "error", code: code.as_str(), message, remedy: code.remedy() });
}

fn tell(output: &Output, code: Code, message: String) {
    tracing::error!(%code, "{message}");
    if !output.is_json() {
        for line in error_text(code.as_str(), &message, code.remedy()) {
            output.say(line);
        }
    }
    output.object(&ErrorLine { kind: "error", code: code.as_str(), message, remedy: code.remedy() });
}

/// An error for people.
pub fn error_text(code: &str, message: &str, remedy: &str) -> [String; 2] {
    [format!("Error: {message} [{code}]"), format!("Hint: {remedy}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_cause_a_hint_and_a_code() {
        let error = AgentError::Busy { holder: 42 };
        let code = error.code();
        assert_eq!(
            error_text(code.as_str(), &error.to_string(), code.remedy()).join("\n"),
            "Error: Another job runs with this home, in the process 42 [busy]\n\
             Hint: Wait for it (`stateward job list`) or stop it (`stateward job cancel ID`)"
        );
    }

    #[test]
    fn an_error_in_json_has_code_message_and_remedy() {
        let line = ErrorLine { kind: "error", code: "busy", message: "M".to_owned(), remedy: "R" };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"type":"error","code":"busy","message":"M","remedy":"R"}"#);
    }
}
