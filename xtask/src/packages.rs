//! Which room may use which crate from outside: one job, one place to replace it.

use crate::house::PREFIX;
use crate::tidy::Problem;
use cargo_metadata::{DependencyKind, Metadata};

/// Crate, or the beginning of a crate's name with `*` → the rooms that may depend on it. Crates that are not named are free.
const TABLE: &[(&str, &[&str], &str)] = &[
    ("object_store", &["store"], "byte stores are reached through `store`"),
    ("sqlx*", &["vault"], "only the vault has a database"),
    ("axum*", &["agent", "vault"], "only the vault and the agent's console serve"),
    ("tower-http", &["vault"], "only the vault serves"),
    ("reqwest", &["client"], "the vault is reached through `client`"),
    ("ring", &["crypto", "client", "vault", "testing"], "elsewhere `crypto` seals, signs and checks"),
    ("argon2", &["crypto"], "only `crypto` makes keys"),
    ("aes*", &["crypto"], "only `crypto` has ciphers"),
    ("chacha20*", &["crypto"], "only `crypto` has ciphers"),
    ("hkdf", &["crypto"], "only `crypto` makes keys"),
    ("ed25519*", &["crypto"], "only `crypto` signs"),
    ("rcgen", &["vault"], "only the vault makes certificates"),
    ("zstd*", &["engine", "testing"], "only the engine compresses"),
    ("getrandom", &["model"], "randomness is the injected `Random`"),
    ("rand*", &[], "randomness is the injected `Random`"),
    ("chrono", &[], "times are `stateward_model::Timestamp`"),
    ("anyhow", &[], "errors are enums with a meaning"),
    ("indicatif", &["cli"], "only the command line draws"),
    ("rpassword", &["cli"], "only the command line asks"),
];

/// Whether `room` may depend on the outside crate `name`; the reason if not.
fn refusal(room: &str, name: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let (_, rooms, reason) = TABLE.iter().find(|(pattern, _, _)| matches(pattern))?;
    (!rooms.contains(&room)).then_some(*reason)
}

/// Checks the dependencies of every room, but for those of tests.
pub fn check(metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in metadata.workspace_packages() {
        let room = package.name.strip_prefix(PREFIX).unwrap_or(&package.name);
        for dependency in
            package.dependencies.iter().filter(|found| found.kind != DependencyKind::Development)
        {
            if let Some(reason) = refusal(room, &dependency.name) {
                problems.push(Problem::at(format!("{room} → {}", dependency.name), reason));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_rooms_may_use_a_named_crate() {
        assert_eq!(refusal("store", "object_store"), None);
        assert!(refusal("vault", "object_store").is_some());
        assert!(refusal("vault", "aes-gcm").is_some());
        assert!(refusal("model", "rand_chacha").is_some());
        assert_eq!(refusal("model", "serde"), None);
    }
}
