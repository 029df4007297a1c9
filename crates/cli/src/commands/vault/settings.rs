//! The settings of a vault that can be chosen when it is made, and changed later.

use crate::tags;
use clap::{Args, ValueEnum};
use stateward_api::arm::vaults::{
    ImmutabilitySettings, RedundancySettings, SecuritySettings, SoftDeleteSettings, VaultProperties,
    VaultRequest,
};
use stateward_model::vault::{SOFT_DELETE_DAYS_MAX, SOFT_DELETE_DAYS_MIN};

/// Over which failure domains recovery points are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Redundancy {
    /// In one store
    #[value(name = "LocallyRedundant")]
    Local,
    /// Over the zones of a region
    #[value(name = "ZoneRedundant")]
    Zones,
    /// In a second region as well
    #[value(name = "GeoRedundant")]
    Regions,
}

/// Whether what reduces what is kept is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Immutability {
    /// It is not
    Disabled,
    /// It is, until somebody disables it
    Unlocked,
    /// It is, for ever: this can't be undone
    Locked,
}

/// The flags.
#[derive(Debug, Args)]
pub struct Settings {
    /// Over which failure domains recovery points are spread; can't be changed once something is protected
    #[arg(long, value_enum, ignore_case = true, value_name = "KIND")]
    redundancy: Option<Redundancy>,
    /// Whether what reduces what is kept is refused
    #[arg(long, value_enum, ignore_case = true, value_name = "STATE")]
    immutability: Option<Immutability>,
    /// For how many days what was deleted can be had back, 14 to 180
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(SOFT_DELETE_DAYS_MIN as i64..=SOFT_DELETE_DAYS_MAX as i64))]
    soft_delete_days: Option<u32>,
    /// A tag; may be given several times. Those that are given take the place of all there are
    #[arg(long, value_name = "NAME=VALUE", value_parser = tags::parse)]
    tag: Vec<(String, String)>,
}

impl Settings {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        let Self { redundancy, immutability, soft_delete_days, tag } = self;
        redundancy.is_none() && immutability.is_none() && soft_delete_days.is_none() && tag.is_empty()
    }

    /// As the vault is asked for them; what was not given is left out.
    pub fn request(self, location: Option<String>) -> VaultRequest {
        let redundancy_settings = self.redundancy.map(|redundancy| RedundancySettings {
            standard_tier_storage_redundancy: Some(redundancy.into()),
            ..RedundancySettings::default()
        });
        let immutability_settings =
            self.immutability.map(|state| ImmutabilitySettings { state: state.into() });
        let soft_delete_settings = self.soft_delete_days.map(|days| SoftDeleteSettings {
            soft_delete_retention_period_in_days: Some(days),
            ..SoftDeleteSettings::default()
        });
        let security_settings =
            (immutability_settings.is_some() || soft_delete_settings.is_some()).then(|| SecuritySettings {
                immutability_settings,
                soft_delete_settings,
                ..SecuritySettings::default()
            });
        let properties = (redundancy_settings.is_some() || security_settings.is_some()).then(|| {
            VaultProperties { redundancy_settings, security_settings, ..VaultProperties::default() }
        });
        VaultRequest { location, tags: tags::given(self.tag), identity: None, properties }
    }
}

impl From<Redundancy> for stateward_model::Redundancy {
    fn from(redundancy: Redundancy) -> Self {
        match redundancy {
            Redundancy::Local => Self::LocallyRedundant,
            Redundancy::Zones => Self::ZoneRedundant,
            Redundancy::Regions => Self::GeoRedundant,
        }
    }
}

impl From<Immutability> for stateward_model::Immutability {
    fn from(state: Immutability) -> Self {
        match state {
            Immutability::Disabled => Self::Disabled,
            Immutability::Unlocked => Self::Unlocked,
            Immutability::Locked => Self::Locked,
        }
    }
}
