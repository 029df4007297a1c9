//! Verify: the agent proves, with its keys, that what the vault holds is what went in.
//!
//! Packs are read whole and every chunk in them proved ([`packs`]). When all is read, or something was found wrong, the
//! recovery points' entries are gone through ([`segments`]), so that each file that is affected is named ([`files`]).

mod chain;
mod files;
mod packs;
mod segments;

use crate::points::{ServerTrust, TrustedPoint};
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::manifest::Warning;
use stateward_format::point::PackReference;
use stateward_model::{PackId, Phase, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VerifyShare {
    /// This share of the bytes of all live packs (0 to 1), those verified longest ago first, at random among equals.
    Share(f64),
    /// All of it.
    Full,
}

/// What is verified.
pub struct VerifyRequest<'a> {
    /// Where it is.
    pub vault: &'a dyn VaultRead,
    /// Whose.
    pub trust: &'a ServerTrust,
    /// The keys.
    pub keys: &'a EpochKeys,
    /// Only what this recovery point needs; otherwise everything of this server.
    pub point: Option<&'a TrustedPoint>,
    /// How much.
    pub share: VerifyShare,
    /// When each pack was last verified, as an earlier outcome told.
    pub history: &'a BTreeMap<PackId, Timestamp>,
    /// Threads that decode; 0 means as many as the machine has processors.
    pub threads: usize,
}

/// What verify found.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyOutcome {
    /// Recovery points whose hash, signature, chain, manifest and metadata streams were read.
    pub points: u64,
    /// Packs that were read whole, and found right or wrong.
    pub packs: u64,
    /// All packs that are needed.
    pub packs_in_all: u64,
    /// Bytes of packs read.
    pub bytes: u64,
    /// Bytes of all packs needed.
    pub bytes_in_all: u64,
    /// What was found wrong: code `pack-damaged`, `pack-missing`, `point-damaged`, `file-lost` … with the path of each
    /// file of each recovery point that is affected.
    pub problems: Vec<Warning>,
    /// The new history.
    pub history: BTreeMap<PackId, Timestamp>,
}

/// Proves contents.
pub fn verify(request: VerifyRequest<'_>, tools: &Tools<'_>) -> Result<VerifyOutcome, EngineError> {
    tools.progress.phase(Phase::Preparing);
    let mut problems = Vec::new();
    let points = match request.point {
        Some(point) => vec![point.clone()],
        None => chain::read_points(&request, &mut problems)?,
    };
    let needed: BTreeSet<PackReference> =
        points.iter().flat_map(|point| point.header.packs.clone()).collect();
    let needed: Vec<_> = needed.into_iter().collect();
    let chosen = choose(&request, &needed, tools);
    tools.progress.expected(0, total(&chosen));
    tools.progress.phase(Phase::Transferring);
    let mut proof = packs::prove(&request, &chosen, tools)?;
    tools.progress.phase(Phase::Finishing);
    problems.extend(proof.problems.iter().cloned());
    if request.share == VerifyShare::Full || !proof.problems.is_empty() {
        files::check(&request, &points, &needed, &mut proof, &mut problems, tools)?;
    }
    problems.iter().for_each(|problem| tools.progress.warning(problem));
    let mut history: BTreeMap<PackId, Timestamp> = request.history.clone();
    let is_needed: BTreeSet<PackId> = needed.iter().map(|pack| pack.id).collect();
    if request.point.is_none() {
        history.retain(|id, _| is_needed.contains(id));
    }
    let now = tools.clock.now();
    history.extend(proof.sound.iter().map(|id| (*id, now)));
    Ok(VerifyOutcome {
        points: points.len() as u64,
        packs: chosen.len() as u64,
        packs_in_all: needed.len() as u64,
        bytes: total(&chosen),
        bytes_in_all: total(&needed),
        problems,
        history,
    })
}

fn total(packs: &[PackReference]) -> u64 {
    packs.iter().map(|pack| u64::from(pack.length)).sum()
}

/// Those verified longest ago, never first, at random among equals, until the share of bytes is reached.
fn choose(request: &VerifyRequest<'_>, needed: &[PackReference], tools: &Tools<'_>) -> Vec<PackReference> {
    let VerifyShare::Share(share) = request.share else { return needed.to_vec() };
    let mut drawn: Vec<_> = needed
        .iter()
        .map(|pack| {
            let mut lot = [0; 8];
            tools.random.fill(&mut lot);
            (request.history.get(&pack.id).copied(), lot, *pack)
        })
        .collect();
    drawn.sort_unstable();
    let wanted = (total(needed) as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
    let mut bytes = 0;
    let taken = drawn.into_iter().take_while(|(_, _, pack)| {
        let is_wanted = bytes < wanted;
        bytes += u64::from(pack.length);
        is_wanted
    });
    taken.map(|(_, _, pack)| pack).collect()
}
