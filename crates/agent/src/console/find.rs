//! Searching names in the recovery points.

use super::Console;
use super::answer::{Answer, Refusal, answered};
use super::body::Parameters;
use super::recovery_points::{mode, path_of};
use crate::browse::{self, Found, Pattern, Search, kind_name};
use crate::points::{self, When};
use axum::extract::State;
use serde::Deserialize;
use stateward_api::console::{FoundList, FoundVersion};
use std::sync::Arc;

/// What is searched for, and where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    name: Option<String>,
    item: Option<String>,
    since: Option<String>,
    #[serde(default)]
    all_versions: bool,
}

/// Searches.
pub(super) async fn find(
    State(console): State<Arc<Console>>,
    Parameters(asked): Parameters<Asked>,
) -> Answer<FoundList> {
    answered(console, move |console| {
        let name = asked.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Refusal::invalid("`name` says what is searched for"))?;
        let since = asked.since.as_deref().map(When::begin_of).transpose()?;
        let pattern = Pattern::new(&name);
        let search = Search { pattern: &pattern, item: asked.item.as_deref(), since };
        let found = browse::find(&console.agent, &search)?;
        Ok(FoundList {
            value: found.iter().flat_map(|found| versions(found, asked.all_versions)).collect(),
            recovery_points: found.iter().map(|found| found.points.len() as u64).sum(),
            is_cut: found.iter().any(|found| found.is_cut),
            parts_lost: found.iter().map(|found| found.parts_lost).sum(),
        })
    })
    .await
}

fn versions(found: &Found, all: bool) -> Vec<FoundVersion> {
    let shown = |found_version: &browse::FoundVersion| {
        let browse::FoundVersion { version, ranges } = found_version;
        let (first, last) = (ranges.first()?.0, ranges.last()?.1);
        let (oldest, newest) = (&found.points[first], &found.points[last]);
        Some(FoundVersion {
            item: newest.item_label.clone(),
            path: path_of(version.path.clone()),
            kind: kind_name(version.kind).to_owned(),
            mode: mode(version.mode),
            bytes: version.size,
            modified_at: (version.kind != 'd').then_some(version.modified_at),
            recovery_points: ranges.iter().map(|(from, to)| (to - from + 1) as u64).sum(),
            oldest: oldest.recovery_point,
            oldest_time: points::time(oldest),
            newest: newest.recovery_point,
            newest_time: points::time(newest),
        })
    };
    found.chosen(all).into_iter().filter_map(shown).collect()
}
