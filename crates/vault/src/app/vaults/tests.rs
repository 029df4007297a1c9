//! The rules by which a vault's settings change, and its life.

use super::*;
use crate::app::testing::TestApp;
use stateward_api::arm::groups::ResourceGroupRequest;

const PROTECTING: Usage =
    Usage { servers: 1, items: 1, deleted_items: 0, recovery_points: 0, stored_bytes: 0 };

fn code(result: Result<VaultSettings, Error>) -> Option<ErrorCode> {
    match result {
        Ok(_) => None,
        Err(Error::Refused { code, .. }) => Some(code),
        Err(Error::InvalidRequest(_)) => Some(ErrorCode::InvalidRequest),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn redundancy_is_frozen_once_something_is_protected() {
    let settings = VaultSettings::new();
    let geo = VaultChange { redundancy: Some(Redundancy::GeoRedundant), ..VaultChange::default() };
    assert_eq!(code(settings.changed(geo.clone(), &Usage::default())), None);
    assert_eq!(code(settings.changed(geo, &PROTECTING)), Some(ErrorCode::RedundancyLocked));
    let deleted = Usage { items: 0, deleted_items: 1, ..PROTECTING };
    let zones = VaultChange { redundancy: Some(Redundancy::ZoneRedundant), ..VaultChange::default() };
    assert_eq!(code(settings.changed(zones, &deleted)), Some(ErrorCode::RedundancyLocked));
    // What a client sends back as it read it changes nothing and is no error.
    let same = VaultChange { redundancy: Some(settings.redundancy), ..VaultChange::default() };
    assert_eq!(settings.changed(same, &PROTECTING).unwrap(), settings);
}

#[test]
fn restoring_from_the_second_region_needs_one_and_stays() {
    let crossing = VaultChange { cross_region_restore: Some(true), ..VaultChange::default() };
    let settings = VaultSettings::new();
    assert_eq!(code(settings.changed(crossing.clone(), &Usage::default())), Some(ErrorCode::InvalidRequest));
    let geo = VaultSettings { redundancy: Redundancy::GeoRedundant, ..settings };
    let on = geo.changed(crossing, &PROTECTING).unwrap();
    let off = VaultChange { cross_region_restore: Some(false), ..VaultChange::default() };
    assert_eq!(code(on.changed(off, &Usage::default())), Some(ErrorCode::RedundancyLocked));
}

#[test]
fn immutability_goes_one_way_once_it_is_locked() {
    use Immutability::{Disabled, Locked, Unlocked};
    for (from, to, refused) in [
        (Disabled, Unlocked, None),
        (Unlocked, Disabled, None),
        (Unlocked, Locked, None),
        (Locked, Locked, None),
        (Disabled, Locked, Some(ErrorCode::InvalidState)),
        (Locked, Unlocked, Some(ErrorCode::VaultImmutable)),
        (Locked, Disabled, Some(ErrorCode::VaultImmutable)),
    ] {
        let settings = VaultSettings { immutability: from, ..VaultSettings::new() };
        let change = VaultChange { immutability: Some(to), ..VaultChange::default() };
        assert_eq!(code(settings.changed(change, &PROTECTING)), refused, "{from:?} {to:?}");
    }
}

#[test]
fn days_of_soft_delete_keep_their_limits_and_an_immutable_vault_does_not_shorten_them() {
    let change = |days| VaultChange { soft_delete_days: Some(days), ..VaultChange::default() };
    let settings = VaultSettings::new();
    for (days, refused) in [(13, true), (14, false), (180, false), (181, true), (0, true)] {
        let outcome = code(settings.changed(change(days), &PROTECTING));
        assert_eq!(outcome, refused.then_some(ErrorCode::InvalidRequest), "{days}");
    }
    let immutable =
        VaultSettings { soft_delete_days: 30, immutability: Immutability::Unlocked, ..VaultSettings::new() };
    assert_eq!(code(immutable.changed(change(29), &PROTECTING)), Some(ErrorCode::VaultImmutable));
    assert_eq!(code(immutable.changed(change(31), &PROTECTING)), None);
}

fn place(group: &str, vault: &str) -> Place {
    Place { group: Some(group.to_owned()), vault: Some(vault.to_owned()) }
}

#[tokio::test]
async fn a_vault_is_made_changed_deleted_and_had_back() {
    let test = TestApp::new().await;
    let actor = Actor::Principal("ops".to_owned());
    let tags: Tags = [("team".to_owned(), "web".to_owned())].into();
    let change = VaultChange { tags: Some(tags.clone()), ..VaultChange::default() };
    let archive = place("Default", "Archive");
    let (made, is_new) = test.app.put_vault(&actor, &archive, change, None).await.unwrap();
    assert!(is_new && made.settings.tags == tags);
    let days = VaultChange { soft_delete_days: Some(30), ..VaultChange::default() };
    let place_too = place("default", "archive");
    let stale = test.app.update_vault(&actor, &place_too, days.clone(), Some(made.revision + 1)).await;
    assert!(matches!(stale, Err(Error::Refused { code: ErrorCode::PreconditionFailed, .. })));
    let changed = test.app.update_vault(&actor, &place_too, days, Some(made.revision)).await.unwrap();
    assert_eq!((changed.revision, changed.settings.soft_delete_days), (made.revision + 1, 30));
    assert_eq!(test.app.vault_at(&place_too).await.unwrap(), changed);

    assert!(test.app.delete_vault(&actor, &place_too).await.unwrap());
    assert!(!test.app.delete_vault(&actor, &place_too).await.unwrap());
    assert!(matches!(test.app.vault_at(&place_too).await, Err(Error::NotFound(_))));
    let (other, is_new) = test.app.put_vault(&actor, &archive, VaultChange::default(), None).await.unwrap();
    assert!(is_new && other.id != made.id);
    let deleted = test.app.deleted_vaults().await.unwrap();
    assert_eq!(
        deleted.iter().map(|vault| (vault.id, vault.name.as_str())).collect::<Vec<_>>(),
        [(made.id, "Archive")]
    );
    let taken = test.app.undelete_vault(&actor, made.id).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))));
    assert!(test.app.delete_vault(&actor, &archive).await.unwrap());
    let back = test.app.undelete_vault(&actor, made.id).await.unwrap();
    assert_eq!((back.id, &back.settings), (changed.id, &changed.settings));
    test.clock.advance(30 * 86_400);
    assert!(test.app.deleted_vaults().await.unwrap().is_empty());
    assert!(test.app.check_audit().await.unwrap().entries >= 6);
}

#[tokio::test]
async fn a_deleted_vault_outlives_its_group_and_comes_back_once_that_is_there_again() {
    let test = TestApp::new().await;
    let actor = Actor::Task("test");
    let group = || ResourceGroupRequest { location: Some("local".to_owned()), tags: None };
    test.app.put_group(&actor, "Branch", group()).await.unwrap();
    let archive = place("branch", "archive");
    let (made, _) = test.app.put_vault(&actor, &archive, VaultChange::default(), None).await.unwrap();
    test.app.delete_vault(&actor, &archive).await.unwrap();
    test.app.delete_group(&actor, "branch").await.unwrap();
    let deleted = test.app.deleted_vaults().await.unwrap();
    assert_eq!(deleted.iter().map(|vault| vault.id).collect::<Vec<_>>(), [made.id]);
    let homeless = test.app.undelete_vault(&actor, made.id).await;
    assert!(matches!(homeless, Err(Error::Refused { code: ErrorCode::ResourceGroupNotFound, .. })));
    test.app.put_group(&actor, "BRANCH", group()).await.unwrap();
    assert_eq!(test.app.undelete_vault(&actor, made.id).await.unwrap().id, made.id);
}

#[tokio::test]
async fn what_is_within_a_vault_keeps_it_from_being_deleted_and_is_named() {
    let test = TestApp::new().await;
    test.server("web-01").await;
    let refused = test.app.delete_vault(&Actor::Task("test"), &place("default", "prod")).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("existing resources within the vault"), "{text}");
    assert!(text.contains("1 protected item (") && text.contains("1 registered server ("), "{text}");
}

#[tokio::test]
async fn wrong_names_and_places_are_told_apart() {
    let test = TestApp::new().await;
    let actor = Actor::Task("test");
    let put = |group, name| {
        let (test, actor, place) = (&test, &actor, place(group, name));
        async move { test.app.put_vault(actor, &place, VaultChange::default(), None).await.map(drop) }
    };
    assert!(matches!(put("default", "1a").await, Err(Error::InvalidRequest(_))));
    let none = put("none", "archive").await;
    assert!(matches!(none, Err(Error::Refused { code: ErrorCode::ResourceGroupNotFound, .. })));
    let request =
        stateward_api::arm::groups::ResourceGroupRequest { location: Some("local".to_owned()), tags: None };
    test.app.put_group(&actor, "web", request).await.unwrap();
    assert!(matches!(put("web", "prod").await, Err(Error::AlreadyExists(_))));
    assert!(matches!(test.app.vault_at(&place("web", "prod")).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_new_vault_of_a_deleted_ones_name_does_not_come_with_its_roles() {
    use crate::app::principals::{Assignment, Role};
    let test = TestApp::new().await;
    let actor = Actor::Task("test");
    test.app.put_vault(&actor, &place("default", "shop"), VaultChange::default(), None).await.unwrap();
    let role = Assignment::at(Role::Contributor, Some("default"), Some("shop")).unwrap();
    let made = test.app.create_principal(&actor, "ops", &role).await.unwrap();
    let role_at_shop = || async {
        let principal = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap();
        principal.role_at(&place("default", "shop"))
    };
    assert_eq!(role_at_shop().await, Some(Role::Contributor));
    test.app.delete_vault(&actor, &place("default", "shop")).await.unwrap();
    let deleted = test.app.deleted_vaults().await.unwrap()[0].id;
    test.app.put_vault(&actor, &place("default", "Shop"), VaultChange::default(), None).await.unwrap();
    assert_eq!(role_at_shop().await, None);
    test.app.delete_vault(&actor, &place("default", "shop")).await.unwrap();
    test.app.undelete_vault(&actor, deleted).await.unwrap();
    assert_eq!(role_at_shop().await, Some(Role::Contributor));
}

#[tokio::test]
async fn a_new_group_of_a_removed_ones_name_does_not_come_with_its_roles() {
    use crate::app::principals::{Assignment, Role};
    let test = TestApp::new().await;
    let actor = Actor::Task("test");
    let request = || ResourceGroupRequest { location: Some("local".to_owned()), tags: None };
    test.app.put_group(&actor, "web", request()).await.unwrap();
    let role = Assignment::at(Role::Operator, Some("web"), None).unwrap();
    let made = test.app.create_principal(&actor, "ops", &role).await.unwrap();
    test.app.delete_group(&actor, "web").await.unwrap();
    test.app.put_group(&actor, "web", request()).await.unwrap();
    let principal = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap();
    assert_eq!(principal.role_at(&place("web", "")), None);
}
