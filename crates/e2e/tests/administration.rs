//! An administrator's commands against a real vault: what they make is there, what is refused is refused with its rule.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use stateward_e2e::process::Outcome;
use stateward_e2e::vault::Access;
use stateward_e2e::{TestServer, TestVault};
use stateward_model::{Clock as _, SystemClock, Timestamp};
use std::fs;

/// A vault and an administrator who has signed in to it.
fn signed_in() -> (TestVault, TestServer) {
    let vault = TestVault::start();
    let administrator = TestServer::fresh();
    administrator.login(&vault.access).done();
    (vault, administrator)
}

fn run(administrator: &TestServer, line: &str) -> Outcome {
    administrator.run(line.split_whitespace())
}

/// What a command prints last; it must work.
#[track_caller]
fn last(administrator: &TestServer, line: &str) -> Value {
    run(administrator, line).done().last()
}

#[track_caller]
fn refused(administrator: &TestServer, line: &str, exit: i32, code: &str) -> String {
    let outcome = run(administrator, line).expect_code(exit);
    assert_eq!(outcome.error_code(), code, "{outcome:#?}");
    outcome.last()["message"].as_str().unwrap().to_owned()
}

#[track_caller]
fn names(administrator: &TestServer, line: &str) -> Vec<Value> {
    run(administrator, line).done().json().into_iter().map(|line| line["name"].clone()).collect()
}

#[test]
fn a_vaults_life_from_its_group_to_its_return() {
    let (_vault, admin) = signed_in();
    assert_eq!(last(&admin, "group create branch --tag city=Bern")["tags"], json!({ "city": "Bern" }));
    assert_eq!(names(&admin, "group list"), ["branch", "default"]);
    let made = last(&admin, "vault create east --resource-group branch --soft-delete-days 30 --tag team=a");
    let shown = |field: &str| made[field].clone();
    assert_eq!(
        (shown("name"), shown("resource_group"), shown("soft_delete_days"), shown("tags")),
        (json!("east"), json!("branch"), json!(30), json!({ "team": "a" }))
    );
    run(&admin, "vault create west").done();
    // Making it again changes what is given and keeps the rest.
    assert_eq!(last(&admin, "vault create east --resource-group branch")["soft_delete_days"], 30);
    assert_eq!(names(&admin, "vault list"), ["east", "west"]);
    assert_eq!(names(&admin, "vault list --resource-group branch"), ["east"]);

    let changed = last(&admin, "vault update EAST --immutability Unlocked --redundancy geoRedundant");
    assert_eq!(
        (&changed["immutability"], &changed["redundancy"]),
        (&json!("Unlocked"), &json!("GeoRedundant"))
    );
    assert_eq!(changed["redundancy_health"], "NotMet");
    assert_eq!(last(&admin, "vault show east")["id"], made["id"]);
    assert!(
        refused(&admin, "vault update east --soft-delete-days 14", 1, "vault-immutable").contains("shorten")
    );
    refused(&admin, "vault update east", 2, "usage");
    refused(&admin, "vault update east --soft-delete-days 13", 2, "usage");
    refused(&admin, "vault show east --resource-group default", 10, "unknown-vault");
    refused(&admin, "vault create east", 1, "already-exists");
    assert!(refused(&admin, "group delete branch", 1, "group-not-empty").contains("has 1 vault;"));

    run(&admin, "vault delete east").done();
    assert_eq!(names(&admin, "vault list"), ["west"]);
    run(&admin, "group delete branch").done();
    let deleted = run(&admin, "vault list-deleted").done().json();
    assert_eq!((&deleted[0]["name"], &deleted[0]["id"]), (&json!("east"), &made["id"]));
    refused(&admin, "vault undelete north", 1, "no-such-thing");
    refused(&admin, "vault undelete east", 1, "unknown-resource-group");
    run(&admin, "group create Branch").done();
    run(&admin, "vault undelete east").done();
    assert_eq!(last(&admin, "vault show east")["soft_delete_days"], 30);
}

#[test]
fn a_deleted_vault_comes_back_as_it_was() {
    let (_vault, admin) = signed_in();
    let made = last(&admin, "vault create main --tag a=b");
    run(&admin, "vault delete main").done();
    refused(&admin, "vault show main", 10, "unknown-vault");
    run(&admin, "vault undelete main").done();
    let back = last(&admin, "vault show main");
    assert_eq!((&back["id"], &back["tags"]), (&made["id"], &made["tags"]));
}

#[test]
fn a_vault_with_servers_names_what_keeps_it() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let message = refused(&server, "vault delete vault", 1, "vault-not-empty");
    assert!(message.contains("1 registered server ("), "{message}");
    let text = server.as_person(["vault", "show", "vault"]).done().stdout;
    assert!(text.contains("Resource group") && text.contains("LocallyRedundant"), "{text}");
}

#[test]
fn policies_are_made_as_the_wizard_asks_for_them_and_from_a_file() {
    let (_vault, admin) = signed_in();
    run(&admin, "vault create main").done();
    let nightly = "--times 02:00 --time-zone Europe/Berlin --keep-days 30 --keep-weeks 12 --weeks-on Sunday";
    let made = last(&admin, &format!("policy create nightly --vault main {nightly}"));
    assert_eq!(made["properties"]["schedulePolicy"]["scheduleRunFrequency"], "Daily");
    assert_eq!(made["properties"]["retentionPolicy"]["weeklySchedule"]["daysOfTheWeek"], json!(["Sunday"]));
    refused(&admin, &format!("policy create nightly --vault main {nightly}"), 1, "already-exists");

    // What one command shows, another takes.
    let file = admin.path("policy.json");
    fs::write(&file, last(&admin, "policy show NIGHTLY --vault main").to_string()).unwrap();
    let copy = last(&admin, &format!("policy create copy --vault main --from-file {}", file.display()));
    assert_eq!(copy["properties"], made["properties"]);
    assert_eq!(names(&admin, "policy list --vault main"), ["copy", "nightly"]);

    let changed = last(&admin, "policy update copy --vault main --times 03:00 --keep-days 7");
    assert_eq!(changed["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"], 7);
    let text = admin.as_person(["policy", "show", "nightly", "--vault", "main"]).done().stdout;
    assert!(
        text.contains("every day at 02:00 (Europe/Berlin)") && text.contains("Sunday kept 12 weeks"),
        "{text}"
    );

    let short =
        refused(&admin, "policy create short --vault main --times 02:00 --keep-days 3", 2, "wrong-policy");
    assert!(short.contains("7 to 9999"), "{short}");
    refused(&admin, "policy show absent --vault main", 1, "unknown-policy");
    refused(&admin, "policy update absent --vault main --times 02:00 --keep-days 7", 1, "unknown-policy");
    run(&admin, "policy delete copy --vault main").done();
    refused(&admin, "policy delete copy --vault main", 1, "unknown-policy");
}

/// A registered server with one item of one recovery point.
fn backed_up(vault: &TestVault) -> TestServer {
    let server = TestServer::registered(vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    server.protect(&source);
    server.backup();
    server
}

#[test]
fn servers_are_shown_and_unregistered_and_their_points_stay() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let listed = last(&server, "server list --vault vault");
    let (id, label) = (listed["server"].as_str().unwrap(), listed["label"].as_str().unwrap());
    for asked in [id, label] {
        let shown = last(&server, &format!("server show {asked} --vault vault"));
        assert_eq!((&shown["server"], shown["items"].as_array().unwrap().len()), (&listed["server"], 1));
    }
    assert_eq!(listed["health"], "Healthy");
    refused(&server, "server show absent --vault vault", 1, "unknown-server");
    run(&server, &format!("server unregister {label} --vault vault")).done();
    assert!(run(&server, "server list --vault vault").done().json().is_empty());
    assert_eq!(last(&server, "server list --vault vault --all")["registration"], "NotRegistered");
    refused(&server, "backup now --wait", 13, "server-refused");
    assert_eq!(last(&server, "vault show vault")["recovery_points"], 1);
}

#[test]
fn an_item_is_stopped_resumed_deleted_and_had_back() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let item = last(&server, "item list --vault vault");
    let (name, id) = (item["item"].as_str().unwrap(), item["item_id"].as_str().unwrap());
    assert_eq!((&item["state"], &item["recovery_points"]), (&json!("Protected"), &json!(1)));
    assert_eq!(last(&server, &format!("item show {name}"))["item_id"], id);

    let stopped = last(&server, &format!("item stop {name} --vault vault --keep expire"));
    assert_eq!((&stopped["state"], &stopped["stop_keeps"]), (&json!("ProtectionStopped"), &json!("expire")));
    assert_ne!(run(&server, "backup now --wait").code(), Some(0));
    // The backup that was refused is still the last one.
    let resumed = last(&server, &format!("item resume {id} --vault vault"));
    assert_eq!(resumed["state"], "ProtectionError");
    server.backup();
    assert_eq!(last(&server, &format!("item show {name} --vault vault"))["state"], "Protected");

    let nightly = "policy create nightly --vault vault --times 02:00 --keep-days 30";
    run(&server, nightly).done();
    let set = last(&server, &format!("item set-policy {name} --vault vault --policy nightly"));
    assert_eq!(set["policy"], "nightly");
    assert!(refused(&server, "policy delete nightly --vault vault", 1, "policy-in-use").contains("1"));

    let deleted = last(&server, &format!("item delete {name} --vault vault"));
    assert!(deleted["job"].is_string(), "{deleted}");
    let shown = last(&server, &format!("item show {id} --vault vault"));
    assert_eq!((&shown["is_deleted"], shown["deleted_at"].is_string()), (&json!(true), true));
    let jobs = run(&server, "job list --vault vault --operation DeleteBackupData").done().json();
    assert_eq!((jobs.len(), &jobs[0]["job"], &jobs[0]["status"]), (1, &deleted["job"], &json!("Completed")));
    let back = last(&server, &format!("item undelete {id} --vault vault"));
    assert_eq!((&back["state"], &back["recovery_points"]), (&json!("ProtectionStopped"), &json!(2)));
    refused(&server, "item show absent --vault vault", 1, "unknown-item");
}

#[test]
fn jobs_of_all_servers_are_shown_by_their_vault() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let backup = last(&server, "job list --vault vault --status Completed --operation Backup");
    let id = backup["job"].as_str().unwrap();
    // The same job as the server itself has it.
    assert_eq!(last(&server, "job list")["job"], id);
    let shown = last(&server, &format!("job show {} --vault vault", &id[..8]));
    assert_eq!((&shown["job"], &shown["operation"]), (&backup["job"], &json!("Backup")));
    assert!(!shown["tasks"].as_array().unwrap().is_empty());
    refused(&server, &format!("job cancel {id} --vault vault"), 1, "invalid-state");
    refused(&server, "job show ffffffff --vault vault", 1, "unknown-job");
    refused(&server, "job list --status Failed", 2, "usage");
    assert!(run(&server, "job list --vault vault --status Failed").done().json().is_empty());
}

#[test]
fn a_principal_made_for_a_vault_may_do_there_what_its_role_says() {
    let (vault, admin) = signed_in();
    run(&admin, "vault create main").done();
    run(&admin, "vault create other").done();
    let file = admin.path("secret");
    let create =
        format!("principal create auditor --vault main --role reader --secret-out {}", file.display());
    let made = last(&admin, &create);
    assert_eq!((&made["name"], &made["role"]), (&json!("auditor"), &json!("BackupReader")));
    let client_id = made["client_id"].as_str().unwrap().to_owned();
    let client_secret = fs::read_to_string(&file).unwrap().trim().to_owned();
    let auditor = TestServer::fresh();
    auditor.login(&Access { client_id: client_id.clone(), client_secret, ..vault.access.clone() }).done();
    assert_eq!(names(&auditor, "vault list"), ["main"]);
    refused(&auditor, "vault update main --soft-delete-days 20", 1, "forbidden");

    let line = format!("principal set-role {client_id} --vault main --role contributor");
    assert_eq!(last(&admin, &line)["role"], "BackupContributor");
    run(&auditor, "vault update main --soft-delete-days 20").done();
    assert!(names(&admin, "principal list --vault main").contains(&json!("auditor")));
    run(&admin, &format!("principal delete {client_id} --vault main")).done();
    run(&auditor, "vault list").expect_code(13);
}

#[test]
fn what_was_changed_is_in_the_audit_log_and_what_weakens_a_vault_raises_an_alert() {
    let (_vault, admin) = signed_in();
    run(&admin, "vault create main --soft-delete-days 30").done();
    run(&admin, "vault update main --soft-delete-days 14").done();
    let log = run(&admin, "audit list --vault main").done().json();
    let acts: Vec<&str> = log.iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["vault.create", "vault.update"]);
    let check = last(&admin, "audit verify --vault main");
    assert_eq!((&check["is_intact"], &check["last_hash"]), (&json!(true), &log[1]["hash"]));

    let alert = last(&admin, "alert list --vault main");
    assert_eq!(alert["state"], "Open");
    let id = alert["alert"].as_str().unwrap();
    assert_eq!(last(&admin, &format!("alert resolve {} --vault main", &id[..12]))["state"], "Resolved");
    assert!(run(&admin, "alert list --vault main").done().json().is_empty());
    assert_eq!(last(&admin, "alert list --vault main --all")["alert"], id);
    refused(&admin, "alert resolve ffff --vault main", 1, "no-such-thing");
    assert!(run(&admin, "approval list --vault main").done().json().is_empty());
}

#[test]
fn quotas_are_set_one_by_one_and_pins_are_good_for_some_minutes() {
    let (_vault, admin) = signed_in();
    run(&admin, "vault create main").done();
    let set = last(&admin, "quota set --vault main --server-holds 500GiB");
    assert_eq!(
        (&set["server_quota_bytes"], &set["server_daily_bytes"]),
        (&json!(500_u64 << 30), &Value::Null)
    );
    let set = last(&admin, "quota set --vault main --server-sends 50GiB");
    assert_eq!(set["server_quota_bytes"], json!(500_u64 << 30));
    let off = last(&admin, "quota set --vault main --server-holds off");
    assert_eq!(
        (&off["server_quota_bytes"], &off["server_daily_bytes"]),
        (&Value::Null, &json!(50_u64 << 30))
    );
    assert_eq!(last(&admin, "quota show --vault main")["server_daily_bytes"], json!(50_u64 << 30));
    refused(&admin, "quota set --vault main", 2, "usage");

    let pin = last(&admin, "pin create --vault main");
    assert!(pin["pin"].as_str().unwrap().bytes().all(|c| c.is_ascii_digit()), "{pin}");
    let ends: Timestamp = pin["expires_at"].as_str().unwrap().parse().unwrap();
    let left = ends.seconds() - SystemClock.now().seconds();
    assert!((200..=300).contains(&left), "{left}");
}

#[test]
fn what_a_policy_would_keep_is_told_before_it_is_made() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let flags = "--times 02:00 --keep-days 7 --keep-weeks 4 --weeks-on Sunday";
    let preview = last(&server, &format!("policy preview --vault vault {flags}"))["preview"].clone();
    let moments = preview["kept"].as_array().unwrap();
    assert_eq!(moments.len(), 3, "{preview:#}");
    // Seven days' points and four weeks': those of a Sunday within the seven days are the same.
    for moment in moments {
        let kept = moment["points"].as_array().unwrap().len();
        assert!((9..=12).contains(&kept), "{kept}: {moment:#}");
    }
    let asked = server.run(["policy", "preview", "--vault", "vault", "--times", "02:00", "--keep-days", "3"]);
    assert_eq!(asked.expect_code(2).error_code(), "wrong-policy");
    refused(
        &server,
        &format!("policy preview --vault vault --in-place-of absent {flags}"),
        1,
        "no-such-thing",
    );
}

#[test]
fn recovery_points_of_a_vault_are_listed_with_what_keeps_them() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let own = server.points()[0].clone();
    let listed = run(&server, "recovery-point list --vault vault").done().json();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["recovery_point"], &listed[0]["rule"]), (&json!(own), &json!("NoPolicy")));
    run(&server, "policy create nightly --vault vault --times 02:00 --keep-days 30").done();
    let item = listed[0]["item"].as_str().unwrap();
    run(&server, &format!("item set-policy {item} --vault vault --policy nightly")).done();
    let kept = last(&server, &format!("recovery-point list --vault vault --item {item}"));
    assert_eq!((&kept["rule"], &kept["is_expired"]), (&json!("LastGood"), &json!(false)));
    assert!(
        kept["reasons"].as_array().unwrap().iter().any(|why| why.as_str().unwrap().starts_with("daily")),
        "{kept}"
    );
    refused(&server, "recovery-point list --vault vault --item absent", 1, "unknown-item");
    refused(&server, "recovery-point restore ffff --vault vault", 1, "no-such-thing");
}

#[test]
fn an_item_is_stopped_and_deleted_at_its_server_with_a_pin_of_an_administrator() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let name = last(&server, "item list")["item"].as_str().unwrap().to_owned();
    let pin = || last(&server, "pin create --vault vault")["pin"].as_str().unwrap().to_owned();
    let state = || last(&server, "item list --vault vault");
    let first = pin();
    run(&server, &format!("item stop {name} --keep expire --pin {first}")).done();
    assert_eq!((&state()["state"], &state()["stop_keeps"]), (&json!("ProtectionStopped"), &json!("expire")));
    // It was good once.
    refused(&server, &format!("item delete {name} --pin {first}"), 1, "security-pin-wrong");
    assert_eq!(state()["is_deleted"], false);
    run(&server, &format!("item delete {name} --pin {}", pin())).done();
    assert_eq!(state()["is_deleted"], true);
    refused(&server, "backup now --wait", 1, "protection-stopped");
    refused(&server, &format!("item delete {name}"), 2, "usage");
    refused(&server, "item delete absent --pin 12345678", 1, "unknown-item");
    let acts: Vec<Value> = run(&server, "audit list --vault vault").done().json();
    let count = |act: &str| acts.iter().filter(|entry| entry["act"] == act).count();
    assert_eq!((count("pin.create"), count("pin.use"), count("item.delete")), (2, 2, 1), "{acts:#?}");
}

#[test]
fn a_cache_is_moved_and_the_next_backup_finds_it() {
    let vault = TestVault::start();
    let server = backed_up(&vault);
    let before = last(&server, "cache show");
    assert!(before["bytes"].as_u64().unwrap() > 0, "{before}");
    let target = server.path("elsewhere/cache");
    let moved = last(&server, &format!("cache move {}", target.display()));
    assert_eq!((&moved["cache"], &moved["bytes"]), (&json!(target), &before["bytes"]));
    assert_eq!(last(&server, "cache show"), moved);
    assert!(!std::path::Path::new(before["cache"].as_str().unwrap()).exists());
    // The next backup uses it, and makes none where it was.
    fs::write(server.path("source/more"), vec![7; 100_000]).unwrap();
    server.backup();
    assert!(last(&server, "cache show")["bytes"].as_u64() > before["bytes"].as_u64());
    assert!(!std::path::Path::new(before["cache"].as_str().unwrap()).exists());
    refused(&server, &format!("cache move {}", server.path("source").display()), 1, "cache-unusable");
}
