//! What Stateward wants to be, against the best of its peers in the same run.

use super::results::{Figures, Results};

/// Our own name in the results.
pub const OURS: &str = "stateward";

/// Programs that deduplicate and encrypt as we do. Whoever only copies or compresses is a baseline, and no peer.
pub const PEERS: [&str; 5] = ["restic", "rustic", "borg", "borg-blake2", "bupstash"];

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Seconds from start to end.
    Wall,
    /// Seconds of processors, the vault's included.
    Processor,
    /// Bytes stored afterwards.
    Stored,
    /// Bytes that were added.
    Grown,
}

/// What it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The best peer in this measure.
    BestPeer,
    /// `tar` into `zstd`, which neither encrypts nor deduplicates.
    TarZstd,
    /// Nothing: the limit is in seconds.
    Nothing,
}

/// One goal.
#[derive(Debug)]
pub struct Goal {
    /// The corpus.
    pub corpus: &'static str,
    /// The phase.
    pub phase: &'static str,
    /// What is compared.
    pub measure: Measure,
    /// With what.
    pub against: Against,
    /// The highest value that is good: a ratio, or seconds.
    pub most: f64,
}

const fn goal(
    corpus: &'static str,
    phase: &'static str,
    measure: Measure,
    against: Against,
    most: f64,
) -> Goal {
    Goal { corpus, phase, measure, against, most }
}

/// All of them. `files` is a real tree, `image` a sparse disk image.
pub const GOALS: [Goal; 18] = {
    use Against::{BestPeer, Nothing, TarZstd};
    use Measure::{Grown, Processor, Stored, Wall};
    [
        goal("files", "first", Wall, BestPeer, 0.65),
        goal("files", "first", Wall, TarZstd, 1.05),
        goal("files", "first", Processor, BestPeer, 0.85),
        goal("files", "first", Stored, BestPeer, 0.97),
        goal("files", "nochange", Wall, BestPeer, 0.8),
        goal("files", "changed", Wall, BestPeer, 0.35),
        goal("files", "changed", Grown, BestPeer, 1.0),
        goal("files", "restore", Wall, BestPeer, 0.85),
        goal("files", "verify", Wall, BestPeer, 0.7),
        goal("image", "first", Wall, BestPeer, 0.6),
        goal("image", "first", Wall, TarZstd, 0.9),
        goal("image", "first", Processor, BestPeer, 0.95),
        goal("image", "first", Stored, BestPeer, 0.99),
        // Beyond the program's start and the connection, which the whole command's time includes.
        goal("image", "nochange", Wall, Nothing, 0.25),
        goal("image", "changed", Wall, BestPeer, 0.35),
        goal("image", "changed", Grown, BestPeer, 0.35),
        goal("image", "restore", Wall, BestPeer, 0.65),
        goal("image", "verify", Wall, BestPeer, 0.7),
    ]
};

/// What a goal came to.
#[derive(Debug, PartialEq)]
pub struct Judged {
    /// Ours, in the measure's own unit.
    pub ours: f64,
    /// Whom it was compared with, and theirs.
    pub other: Option<(String, f64)>,
    /// The ratio, or our seconds.
    pub value: f64,
}

impl Measure {
    /// Its value for a tool; `None` if the tool was not run there or failed.
    pub fn of(self, results: &Results, corpus: &str, phase: &str, tool: &str) -> Option<f64> {
        let figures: Figures = results.figures(corpus, phase, tool)?;
        if figures.failure.is_some() {
            return None;
        }
        match self {
            Self::Wall => Some(figures.wall_s),
            Self::Processor => Some(figures.cpu_s),
            Self::Stored => Some(figures.stored_bytes),
            Self::Grown => results.grown_bytes(corpus, phase, tool),
        }
    }

    /// The peer with the least, and its value.
    pub fn best_peer(self, results: &Results, corpus: &str, phase: &str) -> Option<(String, f64)> {
        let peers = results.tools().into_iter().filter(|tool| PEERS.contains(tool));
        let values = peers.filter_map(|tool| Some((tool.to_owned(), self.of(results, corpus, phase, tool)?)));
        values.min_by(|one, other| one.1.total_cmp(&other.1))
    }
}

impl Goal {
    /// What it came to; `None` if one side was not measured.
    pub fn judge(&self, results: &Results) -> Option<Judged> {
        let ours = self.measure.of(results, self.corpus, self.phase, OURS)?;
        let other = match self.against {
            Against::Nothing => return Some(Judged { ours, other: None, value: ours }),
            Against::BestPeer => self.measure.best_peer(results, self.corpus, self.phase)?,
            Against::TarZstd => {
                ("tar-zstd".to_owned(), self.measure.of(results, self.corpus, self.phase, "tar-zstd")?)
            }
        };
        let value = ours / other.1;
        Some(Judged { ours, other: Some(other), value })
    }

    /// Whether that value is good.
    pub fn is_met(&self, judged: &Judged) -> bool {
        judged.value <= self.most
    }
}
