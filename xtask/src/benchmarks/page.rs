//! The page's text: what was measured, goals, where we lose, all figures.

use super::goals::{Against, GOALS, Goal, Judged, Measure, OURS};
use super::results::{Figures, PHASES, Results, Size};
use std::fmt::Write as _;

/// From which part of all processors on others' work makes a time doubtful.
const FOREIGN_NOTED: f64 = 0.05;

const BEGINNING: &str = "\
# Benchmarks

Written by `cargo xtask benchmarks` from a run of `make bench`; do not edit.

Every tool goes through the same phases in the same run: a first backup, one with nothing changed, one of a second
generation, a restore that is compared with the source field by field, a full verify. Before each command the disk is
synced and the page cache made the same for all. Only ratios within one run mean something: the machine's speed swings
from run to run. Figures are medians over the rounds.

The others write to a local path. Stateward sends over TLS to its vault, a process of its own that makes every object
durable (fsync), and the vault's processor time and memory are counted as Stateward's. Peers are programs that
deduplicate and encrypt; `tar-zstd` and `cp` are baselines that do neither. `†` marks a time during which others used
more than 5 % of the machine.

To repeat it: `make bench BENCH=FOLDER CORPORA=FOLDER` with the folder of the harness (`bench.py`) and what its
`make_corpus.py` made, on a machine that does nothing else. `TOOLS` names the others, `ROUNDS` how often all is done.
The peak of the resident size counts pages of files too; anonymous memory is measured apart, and a test holds it to
160 MiB each for agent and vault (`crates/e2e/tests/memory.rs`).
";

/// The whole page.
pub fn write(results: &Results, settings: &[(String, String)], measured: &[String]) -> String {
    let mut page = BEGINNING.to_owned();
    write_machine(&mut page, results, settings);
    for corpus in results.corpora.keys() {
        write_goals(&mut page, results, corpus);
    }
    write_losses(&mut page, results);
    if !measured.is_empty() {
        page.push_str("\n## Stateward alone\n");
        for text in measured {
            let _ = write!(page, "\n```text\n{}\n```\n", text.trim_end());
        }
    }
    for (corpus, size) in &results.corpora {
        write_figures(&mut page, results, corpus, *size);
    }
    page
}

fn write_machine(page: &mut String, results: &Results, settings: &[(String, String)]) {
    let about = &results.about;
    let _ = writeln!(
        page,
        "\n## Machine and tools\n\n{} processors ({}), Linux {}; page cache {}; rounds: {}.\n\n\
         | corpus | files | MB | MB on disk |\n|---|--:|--:|--:|",
        about.cpus, about.machine, about.kernel, about.cache, about.rounds
    );
    for (corpus, size) in &results.corpora {
        let (all, disk) = (megabytes(size.bytes as f64), megabytes(size.disk_bytes as f64));
        let _ = writeln!(page, "| `{corpus}` | {} | {all:.0} | {disk:.0} |", size.files);
    }
    page.push_str("\n| tool | version | settings |\n|---|---|---|\n");
    for tool in results.tools() {
        let version = results.versions.get(tool).map_or("", String::as_str);
        let told = settings.iter().find(|(name, _)| name == tool).map_or("", |(_, text)| text.as_str());
        let _ = writeln!(page, "| {tool} | {} | {} |", in_table(version), in_table(told));
    }
}

fn write_goals(page: &mut String, results: &Results, corpus: &str) {
    let goals: Vec<&Goal> = GOALS.iter().filter(|goal| goal.corpus == corpus).collect();
    if goals.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "\n## Goals: `{corpus}`\n\n| phase | measure | Stateward | against | ratio | goal | |\n|---|---|--:|---|--:|--:|---|"
    );
    for goal in goals {
        let measure = goal.measure.name();
        let limit = match goal.against {
            Against::Nothing => format!("≤ {:.2} s", goal.most),
            Against::BestPeer | Against::TarZstd => format!("≤ {:.2}", goal.most),
        };
        let _ = match goal.judge(results) {
            None => {
                let ours = results.figures(goal.corpus, goal.phase, OURS);
                let has_failed = ours.is_some_and(|figures| figures.failure.is_some());
                let verdict = if has_failed { "**missed: it failed**" } else { "not measured" };
                writeln!(page, "| {} | {measure} | | | | {limit} | {verdict} |", goal.phase)
            }
            Some(judged) => {
                let ours = goal.measure.show(judged.ours);
                let (against, ratio) = shown_against(goal.measure, &judged);
                let verdict = verdict(goal, &judged);
                writeln!(
                    page,
                    "| {} | {measure} | {ours} | {against} | {ratio} | {limit} | {verdict} |",
                    goal.phase
                )
            }
        };
    }
}

fn shown_against(measure: Measure, judged: &Judged) -> (String, String) {
    match &judged.other {
        None => ("the clock (start and connection included)".to_owned(), String::new()),
        Some((name, value)) => (format!("{name}: {}", measure.show(*value)), format!("{:.2}", judged.value)),
    }
}

fn verdict(goal: &Goal, judged: &Judged) -> String {
    match goal.is_met(judged) {
        true => "met".to_owned(),
        false => format!("**missed by {:.0} %**", (judged.value / goal.most - 1.0) * 100.0),
    }
}

/// Every phase and measure in which some peer is better, goal or no goal.
fn write_losses(page: &mut String, results: &Results) {
    page.push_str("\n## Where Stateward loses\n\n");
    let mut lost = 0;
    for corpus in results.corpora.keys() {
        for phase in PHASES {
            let is_backup = matches!(phase, "first" | "nochange" | "changed");
            for measure in [Measure::Wall, Measure::Processor, Measure::Stored, Measure::Grown] {
                if matches!(measure, Measure::Stored | Measure::Grown) && !is_backup {
                    continue;
                }
                let ours = measure.of(results, corpus, phase, OURS);
                let best = measure.best_peer(results, corpus, phase);
                if let (Some(ours), Some((peer, theirs))) = (ours, best)
                    && ours > theirs
                {
                    lost += 1;
                    let (name, shown, other) = (measure.name(), measure.show(ours), measure.show(theirs));
                    let _ = writeln!(page, "- `{corpus}`, {phase}, {name}: {shown}; {peer} {other}");
                }
            }
        }
    }
    if lost == 0 {
        page.push_str("To no peer, in any phase or measure of this run.\n");
    }
}

fn write_figures(page: &mut String, results: &Results, corpus: &str, size: Size) {
    let _ = writeln!(page, "\n## All figures: `{corpus}`");
    for phase in PHASES {
        let found: Vec<(&str, Figures)> = results
            .tools()
            .into_iter()
            .filter_map(|tool| Some((tool, results.figures(corpus, phase, tool)?)))
            .collect();
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(
            page,
            "\n### {phase}\n\n| tool | wall s | MB/s | CPU s | peak resident MiB | stored MB (files) | grown by MB | \
             foreign CPU | |\n|---|--:|--:|--:|--:|--:|--:|--:|---|"
        );
        for (tool, figures) in found {
            let grown = results.grown_bytes(corpus, phase, tool);
            let grown = grown.map_or(String::new(), |bytes| format!("{:.2}", megabytes(bytes)));
            let mark = if figures.foreign > FOREIGN_NOTED { " †" } else { "" };
            let _ = writeln!(
                page,
                "| {tool} | {:.2}{mark} | {:.0} | {:.2} | {:.0} | {:.0} ({:.0}) | {grown} | {:.0} % | {} |",
                figures.wall_s,
                megabytes(size.bytes as f64) / figures.wall_s,
                figures.cpu_s,
                figures.resident_mib,
                megabytes(figures.stored_bytes),
                figures.stored_files,
                figures.foreign * 100.0,
                remark(phase, &figures)
            );
        }
    }
}

fn remark(phase: &str, figures: &Figures) -> String {
    if let Some(failure) = &figures.failure {
        return format!("**failed: {failure}**");
    }
    match (phase, figures.differences.is_empty()) {
        ("restore", true) => "identical".to_owned(),
        ("restore", false) => {
            let fields = figures.differences.iter().map(|(field, count)| format!("{field} {count}"));
            format!("content identical; differ: {}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    }
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Processor => "CPU",
            Self::Stored => "stored",
            Self::Grown => "grown",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Wall | Self::Processor => format!("{value:.2} s"),
            Self::Stored | Self::Grown if value.abs() < 1e6 => format!("{:.1} kB", value / 1e3),
            Self::Stored | Self::Grown => format!("{:.1} MB", megabytes(value)),
        }
    }
}

fn megabytes(bytes: f64) -> f64 {
    bytes / 1e6
}

/// A text that may stand in a cell.
fn in_table(text: &str) -> String {
    text.trim_matches(['*', ' ']).replace('|', "\\|")
}
