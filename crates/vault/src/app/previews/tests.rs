//! What is foreseen, and what is not asked for.

use super::*;
use crate::app::audit::Actor;
use crate::app::testing::{TestApp, open_request, policy, prod};
use stateward_model::SessionId;

const DAY: i64 = 86_400;

fn asked(policy: Option<Policy>) -> Asked {
    Asked { policy, name: None, item: None, moments: Vec::new() }
}

#[tokio::test]
async fn a_policy_shows_its_runs_and_what_it_keeps_before_there_is_one() {
    let test = TestApp::new().await;
    let moment = test.app.now().plus_seconds(60 * DAY);
    let question = Asked { moments: vec![moment], ..asked(Some(policy(7, Some(4)))) };
    let preview = test.app.preview(&prod(), question).await.unwrap();
    assert_eq!((preview.runs.len(), preview.runs[0].planned.time.to_string().as_str()), (RUNS, "02:00"));
    // Seven days, and the Sundays of four weeks, of which one is within the seven days.
    assert_eq!(preview.kept[0].points.len(), 10);
    assert!(preview.kept[0].points.iter().all(|point| !point.exists && !point.claims.is_empty()));
    assert!(preview.effects.is_empty() && preview.lessenings.is_empty());
}

#[tokio::test]
async fn a_policy_in_anothers_place_shows_which_points_it_would_end() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let actor = Actor::Task("test");
    test.app.put_policy(&actor, &prod(), "daily", policy(30, None), None).await.unwrap();
    test.give_policy(&server, "daily").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    let mut previous = None;
    for sequence in 1..=3 {
        let object = server.point(sequence, previous, &[], |_| {});
        previous = Some(stateward_format::point::hash(&object));
        test.app.commit_point(server.caller, SessionId([1; 16]), object).await.unwrap();
        test.clock.advance(8 * DAY);
    }
    let question = Asked { name: Some("DAILY".to_owned()), ..asked(Some(policy(12, None))) };
    let preview = test.app.preview(&prod(), question).await.unwrap();
    assert_eq!(preview.lessenings.len(), 1);
    assert!(preview.effects.iter().all(|moved| moved.item == server.item));
    let at_once: Vec<_> = preview.effects.iter().filter(|moved| moved.ends_at_once).collect();
    assert!(at_once.iter().any(|moved| moved.received_at == test.app.now().plus_seconds(-24 * DAY)));

    let present = Asked { item: Some(server.item), moments: vec![test.app.now()], ..asked(None) };
    let preview = test.app.preview(&prod(), present).await.unwrap();
    assert_eq!((preview.kept[0].points.len(), preview.effects.len()), (3, 0));
    assert!(preview.kept[0].points.iter().all(|point| point.exists));
}

#[tokio::test]
async fn what_would_take_too_long_or_is_not_there_is_refused() {
    let test = TestApp::new().await;
    let now = test.app.now();
    let body = || Some(policy(7, None));
    for (question, expected) in [
        (asked(None), "Say which policy"),
        (Asked { moments: vec![now.plus_seconds(-1)], ..asked(body()) }, "can have passed"),
        (Asked { moments: vec![now; MOMENTS_MAX + 1], ..asked(body()) }, "At most 12"),
        (Asked { moments: vec![now.plus_seconds(60 * 365 * DAY)], ..asked(body()) }, "More than 20000 runs"),
        (Asked { name: Some("none".to_owned()), ..asked(body()) }, "no policy `none`"),
        (Asked { item: Some(ItemId([9; 16])), ..asked(body()) }, "no protected item"),
    ] {
        let refused = test.app.preview(&prod(), question).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}
