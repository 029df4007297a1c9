//! Looking at the server: what is wrong, what a code means, what System State is, and a file with all that for a helper.

use super::Console;
use super::answer::{Answer, Refusal, answered, blocking};
use super::body::{Body, Part};
use crate::codes::warnings::{self, WarningCode};
use crate::{AgentError, Code, Exit, doctor, support_bundle, system_state};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use stateward_api::console::{
    CheckOutcome, CodeList, Diagnosis, ExplainedCode, SupportBundleRequest, SystemState, SystemStateComponent,
};
use stateward_model::JobId;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `stateward doctor` says.
pub(super) async fn examine(State(console): State<Arc<Console>>) -> Answer<Diagnosis> {
    answered(console, |console| {
        let found = doctor::examine(&console.agent);
        let outcome = match found.exit() {
            Exit::Done => CheckOutcome::Passed,
            Exit::Warnings => CheckOutcome::Warning,
            _ => CheckOutcome::Failed,
        };
        Ok(Diagnosis { outcome, checks: found.checks.iter().map(Into::into).collect() })
    })
    .await
}

fn of_error(code: Code) -> ExplainedCode {
    ExplainedCode {
        code: code.as_str().to_owned(),
        exit_code: Some(code.exit().number()),
        meaning: code.meaning().to_owned(),
        recommendation: code.remedy().to_owned(),
    }
}

fn of_warning(warning: &WarningCode) -> ExplainedCode {
    ExplainedCode {
        code: warning.code.to_owned(),
        exit_code: None,
        meaning: warning.meaning.to_owned(),
        recommendation: warning.remedy.to_owned(),
    }
}

/// All codes.
pub(super) async fn codes() -> Answer<CodeList> {
    let errors = Code::all().map(of_error);
    Ok(axum::Json(CodeList { value: errors.chain(warnings::ALL.iter().map(of_warning)).collect() }))
}

/// One of them.
pub(super) async fn explain(Part(text): Part) -> Answer<ExplainedCode> {
    match (text.parse::<Code>(), warnings::find(&text)) {
        (Ok(code), _) => Ok(axum::Json(of_error(code))),
        (_, Some(warning)) => Ok(axum::Json(of_warning(warning))),
        _ => Err(AgentError::UnknownCode(text).into()),
    }
}

/// What System State is on this machine.
pub(super) async fn system_state(State(console): State<Arc<Console>>) -> Answer<SystemState> {
    answered(console, |console| {
        let part = |part: system_state::ComponentDescription| SystemStateComponent {
            component: part.name,
            purpose: part.purpose.to_string(),
            is_present: part.present,
            files: part.files,
            bytes: part.bytes,
            paths: part.paths.iter().map(ToString::to_string).collect(),
        };
        let found = system_state::describe(&console.agent, Path::new("/"))?;
        Ok(SystemState { value: found.into_iter().map(part).collect() })
    })
    .await
}

/// A file that is there until it was read.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_file(&self.0) {
            tracing::warn!(%cause, "a support bundle that was handed out can't be removed");
        }
    }
}

/// A support bundle, handed out and not kept.
pub(super) async fn bundle(
    State(console): State<Arc<Console>>,
    Body(request): Body<SupportBundleRequest>,
) -> Result<Response, Refusal> {
    let bytes = blocking(console, move |console| {
        let agent = &console.agent;
        let id = JobId::new(&*agent.surroundings().random);
        let path = agent.home().logs().join(format!("support-{id}.tar.gz"));
        let made = Passing(support_bundle::make(agent, &path, request.with_names)?.path);
        Ok(std::fs::read(&made.0).map_err(|cause| agent.home().unusable(&made.0, cause))?)
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/gzip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"stateward-support.tar.gz\""),
    ];
    Ok((headers, bytes).into_response())
}
