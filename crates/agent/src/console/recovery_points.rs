//! Recovery points: listed, by calendar, one by one, and what is in them.

use super::Console;
use super::answer::{Answer, Refusal, answered};
use super::body::{Parameters, Part};
use super::shapes;
use crate::browse::{self, Listed, kind_name};
use crate::items::StoredPath;
use crate::jobs::JobWarning;
use crate::points::calendar::{Month, days_of};
use crate::points::{self, ListedPoint, PointDescription};
use crate::{Agent, AgentError, platform};
use axum::extract::State;
use jiff::tz::TimeZone;
use serde::Deserialize;
use stateward_api::console::{
    CalendarDay, CalendarPoint, FilePath, FolderContent, FolderEntry, Point, PointCalendar, PointComponent,
    PointDetail, PointList, PointPrecheck, UnusablePoint,
};
use std::path::Path;
use std::sync::Arc;

/// Of which item.
#[derive(Deserialize)]
pub(super) struct OfItem {
    item: Option<String>,
}

/// Of which month and item.
#[derive(Deserialize)]
pub(super) struct OfMonth {
    month: Option<String>,
    item: Option<String>,
}

/// What to look into.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AtPath {
    path: Option<String>,
    path_base64: Option<String>,
    item: Option<String>,
}

/// All of them.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Parameters(of): Parameters<OfItem>,
) -> Answer<PointList> {
    answered(console, move |console| {
        let (mut value, mut unusable) = (Vec::new(), Vec::new());
        for point in listed(&console.agent, of.item.as_deref())? {
            match point {
                ListedPoint::Usable(point) => value.push((&*point).into()),
                ListedPoint::Unusable { summary, failure } => unusable.push(UnusablePoint {
                    recovery_point: summary.hash,
                    sequence: summary.sequence,
                    error: (&failure).into(),
                }),
            }
        }
        Ok(PointList { value, unusable })
    })
    .await
}

fn listed(agent: &Agent, item: Option<&str>) -> Result<Vec<ListedPoint>, AgentError> {
    let mut listed = points::list_own(agent)?;
    if let Some(item) = item {
        listed.retain(|point| point.is_of(item));
    }
    Ok(listed)
}

/// Those of a month, by day.
pub(super) async fn calendar(
    State(console): State<Arc<Console>>,
    Parameters(of): Parameters<OfMonth>,
) -> Answer<PointCalendar> {
    answered(console, move |console| {
        let zone = TimeZone::system();
        let month = match of.month {
            Some(text) => text.parse::<Month>().map_err(|why| Refusal::invalid(format!("`month`: {why}")))?,
            None => Month::of(console.agent.now(), &zone)
                .ok_or_else(|| AgentError::Internal("the clock shows no moment of a calendar".to_owned()))?,
        };
        let listed = listed(&console.agent, of.item.as_deref())?;
        let point = |point: &PointDescription| CalendarPoint {
            recovery_point: point.recovery_point,
            item: point.item_label.clone(),
            time: points::time(point),
        };
        let days = days_of(&listed, month, &zone).into_iter().map(|(day, of_day)| CalendarDay {
            day: month.day(day).to_string(),
            recovery_points: of_day.into_iter().map(point).collect(),
        });
        Ok(PointCalendar {
            month: month.to_string(),
            time_zone: zone.iana_name().map(str::to_owned),
            days: days.collect(),
        })
    })
    .await
}

/// One of them.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Part(point): Part,
    Parameters(of): Parameters<OfItem>,
) -> Answer<PointDetail> {
    answered(console, move |console| {
        let opened = points::open_own(&console.agent, &point, of.item.as_deref())?;
        let description = PointDescription::of(&opened);
        let manifest = &opened.manifest;
        let precheck = |check: &crate::jobs::Precheck| PointPrecheck {
            code: check.code.clone(),
            outcome: check.outcome,
            message: check.message.clone(),
        };
        Ok(PointDetail {
            point: (&description).into(),
            moment: description.moment.as_ref().map(|moment| moment.text.clone()),
            sources: description.moment.map(|moment| moment.sources).unwrap_or_default(),
            prechecks: manifest.prechecks.iter().map(precheck).collect(),
            warning_list: manifest
                .warnings
                .iter()
                .map(|warning| (&JobWarning::from(warning)).into())
                .collect(),
        })
    })
    .await
}

/// What one holds at a path.
pub(super) async fn browse(
    State(console): State<Arc<Console>>,
    Part(point): Part,
    Parameters(at): Parameters<AtPath>,
) -> Answer<FolderContent> {
    answered(console, move |console| {
        let path = match (at.path, at.path_base64) {
            (_, Some(base64url)) => FilePath::Bytes { base64url },
            (path, None) => FilePath::Text(path.unwrap_or_else(|| "/".to_owned())),
        };
        let path = shapes::whole_path(path)?;
        let folder = browse::folder(&console.agent, &point, at.item.as_deref(), &path.0)?;
        let entry = |listed: &Listed| {
            let path = match folder.is_folder {
                true => below(&folder.path.0, &listed.name),
                false => folder.path.clone().into(),
            };
            entry(listed, path)
        };
        Ok(FolderContent {
            recovery_point: folder.point.recovery_point,
            item: folder.point.item_label.clone(),
            path: folder.path.clone().into(),
            value: folder.entries.iter().map(entry).collect(),
            is_cut: folder.is_cut,
            gaps: folder.gaps,
        })
    })
    .await
}

/// The path of what has that name in a folder.
fn below(folder: &Path, name: &[u8]) -> FilePath {
    let mut bytes = platform::path_bytes(folder);
    if bytes.last() != Some(&b'/') {
        bytes.push(b'/');
    }
    bytes.extend(name);
    path_of(bytes)
}

/// A path from the root, by its bytes.
pub(super) fn path_of(bytes: Vec<u8>) -> FilePath {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    platform::path_from_bytes(bytes).map_or(FilePath::Text(text), |path| StoredPath(path).into())
}

fn entry(listed: &Listed, path: FilePath) -> FolderEntry {
    FolderEntry {
        name: String::from_utf8_lossy(&listed.name).into_owned(),
        path,
        kind: kind_name(listed.kind).to_owned(),
        mode: mode(listed.mode),
        user: listed.user,
        group: listed.group,
        bytes: listed.size,
        modified_at: listed.modified_at,
        leads_to: listed.leads_to.as_ref().map(|target| String::from_utf8_lossy(target).into_owned()),
    }
}

/// Such as `0644`.
pub(super) fn mode(mode: u32) -> String {
    format!("{:04o}", mode & 0o7777)
}

impl From<&PointDescription> for Point {
    fn from(point: &PointDescription) -> Self {
        let component = |part: &points::ComponentDescription| PointComponent {
            name: part.name.clone(),
            result: part.result.clone(),
            files: part.files,
            bytes: part.bytes,
        };
        Self {
            recovery_point: point.recovery_point,
            sequence: point.sequence,
            item: point.item_label.clone(),
            item_id: point.item,
            kind: point.kind,
            time: points::time(point),
            is_confirmed: point.received_at.is_some(),
            files: point.files,
            bytes: point.bytes,
            pack_bytes: point.pack_bytes,
            warnings: point.warnings,
            one_moment: point.moment.as_ref().map(|moment| moment.is_one),
            host_name: point.host_name.clone(),
            operating_system: point.operating_system.clone(),
            made_by: point.made_by.clone(),
            components: point.components.iter().map(component).collect(),
        }
    }
}
