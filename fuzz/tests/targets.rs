//! The kept corpus goes through every target, and every decoder has one.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use stateward_fuzz::{TARGETS, corpus, json_bodies, seeds, sources};
use std::collections::BTreeSet;
use std::fs;

#[test]
fn the_corpus_breaks_nothing() {
    for target in TARGETS {
        for entry in fs::read_dir(corpus(target)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let run = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(run.is_ok(), "`{}` broke `{}`", path.display(), target.name);
        }
    }
}

#[test]
fn each_corpus_holds_what_the_product_encodes_now() {
    for target in TARGETS {
        for (number, seed) in seeds::of(target.name).into_iter().enumerate() {
            let kept = fs::read(corpus(target).join(format!("seed-{number}"))).unwrap_or_default();
            let advice = "run `cargo run --release -p stateward-fuzz --bin seeds`";
            assert!(kept == seed, "the seed {number} of `{}` is another one now: {advice}", target.name);
            assert!(seed.len() <= 4096, "scripts/fuzz.sh cuts a seed of `{}` off", target.name);
        }
    }
    let folders = fs::read_dir(corpus(&TARGETS[0]).parent().unwrap()).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_owned()).collect());
}

#[test]
fn every_decoder_has_a_target() {
    let there: BTreeSet<String> = sources::decoders().into_iter().collect();
    let named: Vec<&str> = TARGETS.iter().flat_map(|target| target.decoders).copied().collect();
    let reached: BTreeSet<&str> = named.iter().copied().collect();
    let none: BTreeSet<&str> = sources::NONE.iter().map(|(name, _)| *name).collect();
    let untargeted: Vec<_> =
        there.iter().filter(|name| !reached.contains(&name[..]) && !none.contains(&name[..])).collect();
    assert!(untargeted.is_empty(), "give these a target in fuzz/src/lib.rs: {untargeted:#?}");
    let gone: Vec<_> = reached.union(&none).filter(|name| !there.contains(**name)).collect();
    assert!(gone.is_empty(), "these are no decoders any more: {gone:#?}");
}

#[test]
fn every_body_of_the_contract_is_read_by_the_target_of_json() {
    let there: BTreeSet<String> = sources::bodies().into_iter().collect();
    assert_eq!(json_bodies().map(str::to_owned).collect::<BTreeSet<_>>(), there);
}
