//! *Schedule Backup*: giving an item of this server a policy, which says when it is backed up and how long its recovery points are
//! kept. Policies belong to the vault, so an administrator of it does this, from here.

use crate::admin::{self, ServicePrincipal};
use crate::items::{Item, Items};
use crate::{Agent, AgentError};
use stateward_api::arm::items::{ItemChange, ProtectedItem};
use stateward_api::arm::policies::{Policy, PolicyProperties};
use stateward_api::arm::previews::{PreviewedMoment, PreviewedPoint, PreviewedRun};
use stateward_api::arm::vaults::Vault;
use stateward_client::AdminClient;
use stateward_model::PolicyName;
use stateward_model::policy::preview::{kept_at, next_runs};
use stateward_model::{Timestamp, policy};

/// For so many days from now is told what is kept, if nobody names moments: a month, a quarter and a year.
pub const PREVIEW_DAYS: [i64; 3] = [30, 90, 365];

/// So many runs are foreseen.
const RUNS_FORESEEN: usize = 10;

/// No preview looks further than this, in days: its cost grows with the runs until then.
const PREVIEW_DAYS_MAX: i64 = 366 * 10;

/// The item that is meant; the only one if none is named.
pub fn one_item(agent: &Agent, asked: Option<&str>) -> Result<Item, AgentError> {
    let items = Items::load(agent.home())?;
    match (asked, items.items.as_slice()) {
        (Some(asked), _) => items.find(asked).cloned(),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(AgentError::NoItems),
        (None, several) => Err(AgentError::AmbiguousItem {
            name: "all".to_owned(),
            known: several.iter().map(|item| item.label.to_string()).collect(),
        }),
    }
}

/// What a policy would come to keep.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The next runs.
    pub next_runs: Vec<PreviewedRun>,
    /// What is kept at each moment.
    pub kept: Vec<PreviewedMoment>,
}

/// What a policy would come to keep at some moments, if every run made a recovery point. No vault is asked.
pub fn preview(
    properties: &PolicyProperties,
    moments: &[Timestamp],
    now: Timestamp,
) -> Result<Preview, AgentError> {
    let wrong = |why: String| AgentError::WrongPolicy(why);
    let policy = properties.to_policy().map_err(|error| wrong(error.to_string()))?;
    let last = now.plus_seconds(PREVIEW_DAYS_MAX * 86_400);
    if moments.iter().any(|at| *at < now || *at > last) {
        return Err(wrong("A preview is of moments between now and ten years from now".to_owned()));
    }
    let usual = PREVIEW_DAYS.map(|days| now.plus_seconds(days * 86_400));
    let moments = if moments.is_empty() { &usual[..] } else { moments };
    Ok(Preview {
        next_runs: next_runs(&policy, now, RUNS_FORESEEN).into_iter().map(PreviewedRun::from).collect(),
        kept: moments.iter().map(|at| kept(&policy, now, *at)).collect(),
    })
}

fn kept(policy: &policy::Policy, now: Timestamp, at: Timestamp) -> PreviewedMoment {
    let zone = &policy.schedule().zone;
    let points: Vec<PreviewedPoint> = kept_at(policy, &[], now, at)
        .points
        .into_iter()
        .map(|point| PreviewedPoint {
            received_at: point.received_at,
            exists: point.exists,
            reasons: point.claims.iter().map(|claim| claim.explain(zone)).collect(),
        })
        .collect();
    PreviewedMoment { at, count: points.len() as u64, points }
}

/// The vault of this server, as an administrator.
pub struct OwnVault {
    client: AdminClient,
    vault: Vault,
}

impl OwnVault {
    /// Signs in: as the one who is given, for this time only, or as the one whom the home keeps.
    pub fn open(agent: &Agent, who: Option<ServicePrincipal>) -> Result<Self, AgentError> {
        let client = match who {
            Some(who) => admin::administrator_once(agent, who)?,
            None => admin::administrator(agent)?,
        };
        let vault = admin::own_vault(agent, &client)?;
        Ok(Self { client, vault })
    }

    /// Its policies.
    pub fn policies(&self) -> Result<Vec<Policy>, AgentError> {
        Ok(self.client.policies(&self.vault)?)
    }

    /// The policy of that name, which is made if it is described.
    pub fn policy(
        &self,
        name: PolicyName,
        described: Option<PolicyProperties>,
    ) -> Result<Policy, AgentError> {
        match (self.client.find_policy(&self.vault, &name)?, described) {
            (Some(_), Some(_)) => Err(AgentError::PolicyExists(name)),
            (Some(found), None) => Ok(found),
            (None, Some(properties)) => Ok(self.client.put_policy(&self.vault, &name, properties)?),
            (None, None) => Err(AgentError::UnknownPolicy(name)),
        }
    }

    /// Gives an item of this server a policy.
    pub fn set(&self, item: &Item, policy: &Policy) -> Result<(), AgentError> {
        self.change(item, ItemChange { policy_id: Some(policy.name.clone()), ..ItemChange::default() })
    }

    /// Resumes a stopped item's backups, by another policy if one is named.
    pub fn resume(&self, item: &Item, policy: Option<PolicyName>) -> Result<(), AgentError> {
        let change = ItemChange {
            protection_state: Some("Protected".to_owned()),
            policy_id: policy.map(String::from),
            ..ItemChange::default()
        };
        self.change(item, change)
    }

    /// Has a deleted item back. Its backups are stopped then.
    pub fn undelete(&self, item: &Item) -> Result<(), AgentError> {
        self.change(item, ItemChange { is_rehydrate: Some(true), ..ItemChange::default() })
    }

    fn change(&self, item: &Item, change: ItemChange) -> Result<(), AgentError> {
        let at_vault: ProtectedItem =
            admin::find_item(&self.client, &self.vault, &item.id.to_string(), None)?;
        self.client.change_item(&at_vault, change)?;
        Ok(())
    }
}
