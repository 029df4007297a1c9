//! Previews of policies over HTTP.

use super::place::Manager;
use super::policies::meant;
use crate::app::previews::{Asked, Moved, Preview};
use crate::app::{App, Error};
use crate::http::extract::Json;
use axum::Json as Answer;
use axum::extract::State;
use stateward_api::arm::previews::{
    PolicyPreview, PolicyPreviewRequest, PreviewedEffect, PreviewedMoment, PreviewedPoint,
};
use stateward_model::policy::Until;
use stateward_model::policy::preview::{Kept, KeptPoint};
use std::sync::Arc;

/// `POST {vault}/stateward/policyPreview`
pub(in crate::http) async fn preview_policy(
    State(app): State<Arc<App>>,
    manager: Manager,
    Json(request): Json<PolicyPreviewRequest>,
) -> Result<Answer<PolicyPreview>, Error> {
    let asked = Asked {
        policy: request.properties.as_ref().map(meant).transpose()?,
        name: request.policy_name,
        item: request.item,
        moments: request.moments,
    };
    Ok(Answer(shown(Box::pin(app.preview(&manager.place, asked)).await?)))
}

fn shown(preview: Preview) -> PolicyPreview {
    let zone = &preview.policy.schedule().zone;
    let point = |point: KeptPoint| PreviewedPoint {
        received_at: point.received_at,
        exists: point.exists,
        reasons: point.claims.iter().map(|claim| claim.explain(zone)).collect(),
    };
    let moment = |kept: Kept| PreviewedMoment {
        at: kept.at,
        count: kept.points.len() as u64,
        points: kept.points.into_iter().map(point).collect(),
    };
    PolicyPreview {
        next_runs: preview.runs.into_iter().map(Into::into).collect(),
        kept: preview.kept.into_iter().map(moment).collect(),
        lessenings: preview.lessenings.iter().map(ToString::to_string).collect(),
        effects: preview.effects.into_iter().map(effect).collect(),
    }
}

fn effect(Moved { item, point, received_at, effect, ends_at_once }: Moved) -> PreviewedEffect {
    let moment = |until: Until| match until {
        Until::Moment(moment) => Some(moment),
        Until::NoEnd => None,
    };
    PreviewedEffect {
        item,
        recovery_point: point,
        received_at,
        before: moment(effect.before),
        after: moment(effect.after),
        ends_at_once,
    }
}
