//! Which paths belong to which part: a tree of path rules in which the most specific one wins.
//!
//! A rule's path stands for itself and all below it. In a rule's pattern a `*` stands for any part of one name. A path
//! may also be *owned*: then just itself is kept, not what it holds, unless a rule gives it to a part anyway.
//! Excluded paths beat every rule, above and below. Unwanted names are left out of what is a part's, unless a rule names
//! the very path.
//!
//! A walk goes down with a [`Position`]; that costs one look-up for each name and no path is ever put together.

use crate::components::Part;
use crate::glob;
use std::collections::BTreeMap;

/// Who has what lies at and below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A part has it.
    Part {
        /// Which.
        part: Part,
        /// Whether file systems that are mounted below are entered too.
        enters_file_systems: bool,
    },
    /// It is left out.
    LeftOut,
}

/// Rules put together.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The first stands for `/`; those below stand behind those above.
    branches: Vec<Branch>,
    /// Names that are left out of every folder.
    unwanted: Vec<glob::Pattern>,
}

#[derive(Debug, Clone, Default)]
struct Branch {
    exact: BTreeMap<Box<[u8]>, usize>,
    patterns: Vec<(Pattern, usize)>,
    claim: Option<Claim>,
    owner: Option<Part>,
    is_excluded: bool,
    /// Names that are left out of just this folder.
    unwanted: Vec<glob::Pattern>,
    /// Parts with a claim at or below, one bit each; known after [`Selection::finish`].
    claims_below: u64,
    /// Parts with a claim or an owned path at or below.
    kept_below: u64,
    /// Parts with a claim or an owned path below, not counting here.
    kept_beneath: u64,
}

/// A name with one `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    before: Box<[u8]>,
    after: Box<[u8]>,
}

impl Pattern {
    fn parse(name: &[u8]) -> Option<Self> {
        let star = name.iter().position(|byte| *byte == b'*')?;
        Some(Self { before: name[..star].into(), after: name[star + 1..].into() })
    }

    fn matches(&self, name: &[u8]) -> bool {
        name.len() >= self.before.len() + self.after.len()
            && name.starts_with(&self.before)
            && name.ends_with(&self.after)
    }
}

/// A place in a walk: what the rules say of one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    branch: Option<usize>,
    claim: Option<Claim>,
}

/// What a part's walk does with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// The path is the part's.
    pub is_kept: bool,
    /// Something below it may be.
    pub leads_on: bool,
    /// It stands at or above a rule's own path, so that another file system mounted there is meant too.
    pub is_named: bool,
    /// Something below it is the part's by a rule.
    pub is_needed: bool,
}

/// Which names of a folder a part's walk must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// Every one.
    All,
    /// Only these, sorted.
    Only(Vec<Box<[u8]>>),
}

fn bit(part: Part) -> u64 {
    1 << part.0
}

fn names_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
}

impl Selection {
    /// Nothing is anybody's.
    pub fn new() -> Self {
        Self { branches: vec![Branch::default()], unwanted: Vec::new() }
    }

    /// Gives a path and all below it to `claim`. A `*` in it is one of a name's characters.
    pub fn claim(&mut self, path: &[u8], claim: Claim) {
        let at = self.make_branch(path, |_| None);
        self.branches[at].claim = Some(claim);
    }

    /// Gives all paths that look like this one, and all below them, to `claim`.
    pub fn claim_pattern(&mut self, path: &[u8], claim: Claim) {
        let at = self.make_branch(path, Pattern::parse);
        self.branches[at].claim = Some(claim);
    }

    /// Leaves a path and all below it out, whatever rules say. After this no rule may be added, only owned paths.
    pub fn exclude(&mut self, path: &[u8]) {
        let at = self.make_branch(path, |_| None);
        self.branches[at] = Branch { claim: Some(Claim::LeftOut), is_excluded: true, ..Branch::default() };
    }

    /// Leaves what has such a name out of every folder, with all below it. What a rule names by its own path stays.
    pub fn leave_names_out(&mut self, pattern: glob::Pattern) {
        self.unwanted.push(pattern);
    }

    /// The same, in one folder only and not in those below it.
    pub fn leave_names_out_of(&mut self, folder: &[u8], pattern: glob::Pattern) {
        let at = self.make_branch(folder, |_| None);
        self.branches[at].unwanted.push(pattern);
    }

    /// Gives just this path to `part`, unless a rule gives it to some part or it is excluded.
    pub fn own(&mut self, path: &[u8], part: Part) {
        let mut position = self.top();
        for name in names_of(path) {
            if matches!(position.claim, Some(Claim::Part { .. })) {
                return;
            }
            if position.branch.is_some_and(|at| self.branches[at].is_excluded) {
                return;
            }
            position = self.below(position, name);
        }
        let is_free = !matches!(position.claim, Some(Claim::Part { .. }))
            && !position.branch.is_some_and(|at| self.branches[at].is_excluded);
        if is_free {
            let at = self.make_branch(path, |_| None);
            self.branches[at].owner = Some(part);
        }
    }

    fn make_branch(&mut self, path: &[u8], pattern: fn(&[u8]) -> Option<Pattern>) -> usize {
        let mut at = 0;
        for name in names_of(path) {
            let next = self.branches.len();
            let branch = &mut self.branches[at];
            at = match pattern(name) {
                Some(pattern) => match branch.patterns.iter().find(|(known, _)| *known == pattern) {
                    Some((_, known)) => *known,
                    None => {
                        branch.patterns.push((pattern, next));
                        next
                    }
                },
                None => *branch.exact.entry(name.into()).or_insert(next),
            };
            if at == next {
                self.branches.push(Branch::default());
            }
        }
        at
    }

    /// Works out what lies below what; to be called after the last rule, and again after more owned paths.
    pub fn finish(&mut self) {
        // What lies below stands behind, so going backwards meets it first.
        for at in (0..self.branches.len()).rev() {
            let branch = &self.branches[at];
            let mut claims = match branch.claim {
                Some(Claim::Part { part, .. }) => bit(part),
                _ => 0,
            };
            let here = claims | branch.owner.map_or(0, bit);
            let mut beneath = 0;
            for below in branch.exact.values().chain(branch.patterns.iter().map(|(_, at)| at)) {
                claims |= self.branches[*below].claims_below;
                beneath |= self.branches[*below].kept_below;
            }
            let branch = &mut self.branches[at];
            branch.claims_below = claims;
            branch.kept_below = here | beneath;
            branch.kept_beneath = beneath;
        }
    }

    /// The place of `/`.
    pub fn top(&self) -> Position {
        Position { branch: Some(0), claim: self.branches[0].claim }
    }

    /// The place of `name` in the folder at `position`.
    pub fn below(&self, position: Position, name: &[u8]) -> Position {
        let inherited = match position.claim {
            Some(Claim::Part { .. }) if self.is_unwanted(position, name) => Some(Claim::LeftOut),
            claim => claim,
        };
        let Some(branch) = position.branch.map(|at| &self.branches[at]) else {
            return Position { branch: None, claim: inherited };
        };
        let exact = branch.exact.get(name).copied();
        let pattern = branch.patterns.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, at)| *at);
        let claimed = |at: Option<usize>| at.and_then(|at| self.branches[at].claim);
        Position {
            branch: exact.or(pattern),
            claim: claimed(exact).or_else(|| claimed(pattern)).or(inherited),
        }
    }

    fn is_unwanted(&self, position: Position, name: &[u8]) -> bool {
        let here = position.branch.map_or(&[][..], |at| &self.branches[at].unwanted);
        here.iter().chain(&self.unwanted).any(|pattern| pattern.matches(name))
    }

    /// Whether anything of `path` is some part's, or below it is.
    pub fn has(&self, path: &[u8]) -> bool {
        let position = names_of(path).fold(self.top(), |position, name| self.below(position, name));
        let is_claimed = matches!(position.claim, Some(Claim::Part { .. }));
        is_claimed || position.branch.is_some_and(|at| self.branches[at].kept_below != 0)
    }

    /// Who has what lies there.
    pub fn claim_at(&self, position: Position) -> Option<Claim> {
        position.claim
    }

    /// What `part`'s walk does there.
    pub fn look(&self, position: Position, part: Part) -> Look {
        let branch = position.branch.map(|at| &self.branches[at]);
        let has = |parts: u64| parts & bit(part) != 0;
        let is_claimed = matches!(position.claim, Some(Claim::Part { part: has, .. }) if has == part);
        let is_needed = branch.is_some_and(|branch| has(branch.claims_below));
        let is_way = branch.is_some_and(|branch| has(branch.kept_beneath));
        Look {
            is_kept: is_claimed || branch.is_some_and(|branch| branch.owner == Some(part)),
            leads_on: is_claimed || is_way,
            is_named: is_needed || is_way,
            is_needed,
        }
    }

    /// The names that `part`'s walk must look at in the folder there.
    pub fn names(&self, position: Position, part: Part) -> Names {
        if matches!(position.claim, Some(Claim::Part { part: has, .. }) if has == part) {
            return Names::All;
        }
        let Some(branch) = position.branch.map(|at| &self.branches[at]) else {
            return Names::Only(Vec::new());
        };
        let is_wanted = |at: &usize| self.branches[*at].kept_below & bit(part) != 0;
        if branch.patterns.iter().any(|(_, at)| is_wanted(at)) {
            return Names::All;
        }
        let wanted = branch.exact.iter().filter(|(_, at)| is_wanted(at));
        Names::Only(wanted.map(|(name, _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::{BOOT, CONFIGURATION, OS_FILES};

    fn part(part: Part) -> Claim {
        Claim::Part { part, enters_file_systems: false }
    }

    fn at(selection: &Selection, path: &str) -> Position {
        names_of(path.as_bytes()).fold(selection.top(), |position, name| selection.below(position, name))
    }

    fn sample() -> Selection {
        let mut selection = Selection::new();
        selection.claim(b"/etc", part(CONFIGURATION));
        selection.claim(b"/etc/default/grub", part(BOOT));
        selection.claim_pattern(b"/etc/key*.pub", part(BOOT));
        selection.claim(b"/etc/a*b", part(BOOT));
        selection.claim(b"/usr", part(OS_FILES));
        selection.claim(b"/usr/scratch", Claim::LeftOut);
        selection.claim(b"/tmp", Claim::LeftOut);
        selection.finish();
        selection
    }

    #[test]
    fn the_most_specific_rule_wins() {
        let selection = sample();
        for (path, claim) in [
            ("/etc/passwd", Some(part(CONFIGURATION))),
            ("/etc/default", Some(part(CONFIGURATION))),
            ("/etc/default/grub", Some(part(BOOT))),
            ("/etc/default/grub/deep/er", Some(part(BOOT))),
            ("/etc/key-1.pub", Some(part(BOOT))),
            ("/etc/key-1.pub2", Some(part(CONFIGURATION))),
            ("/etc/key.pu", Some(part(CONFIGURATION))),
            ("/etc/a*b", Some(part(BOOT))),
            ("/etc/a-b", Some(part(CONFIGURATION))),
            ("/usr/scratch/x", Some(Claim::LeftOut)),
            ("/srv", None),
        ] {
            assert_eq!(selection.claim_at(at(&selection, path)), claim, "{path}");
        }
    }

    #[test]
    fn a_walk_looks_only_where_its_part_may_be() {
        let selection = sample();
        let boot_in_etc = selection.look(at(&selection, "/etc"), BOOT);
        assert!(!boot_in_etc.is_kept && boot_in_etc.leads_on && boot_in_etc.is_needed);
        assert_eq!(selection.names(at(&selection, "/etc"), BOOT), Names::All, "a pattern needs every name");
        assert_eq!(
            selection.names(at(&selection, "/etc/default"), BOOT),
            Names::Only(vec![b"grub".as_slice().into()])
        );
        assert_eq!(selection.names(selection.top(), OS_FILES), Names::Only(vec![b"usr".as_slice().into()]));
        assert!(!selection.look(at(&selection, "/usr/scratch"), OS_FILES).leads_on);
        assert!(!selection.look(at(&selection, "/tmp"), BOOT).leads_on);
    }

    #[test]
    fn an_owned_path_is_kept_alone_and_only_where_no_part_has_it() {
        let mut selection = sample();
        for path in ["/tmp", "/tmp/owned", "/etc/owned", "/srv/www/page"] {
            selection.own(path.as_bytes(), OS_FILES);
        }
        selection.finish();
        let look = |path: &str| selection.look(at(&selection, path), OS_FILES);
        assert!(look("/tmp").is_kept && look("/tmp").leads_on && !look("/tmp").is_needed);
        assert!(look("/tmp/owned").is_kept && !look("/tmp/owned/below").is_kept);
        assert!(look("/tmp/owned").is_kept && !look("/tmp/owned").leads_on);
        assert!(!look("/tmp/other").is_kept);
        assert!(!look("/etc/owned").is_kept);
        assert!(!look("/srv").is_kept && look("/srv").leads_on && look("/srv/www/page").is_kept);
    }

    #[test]
    fn an_excluded_path_beats_rules_above_and_below_and_owners() {
        let mut selection = sample();
        selection.exclude(b"/etc/default");
        selection.exclude(b"/etc/key-7.pub");
        selection.own(b"/etc/default/owned", OS_FILES);
        selection.finish();
        assert_eq!(selection.claim_at(at(&selection, "/etc/default/grub")), Some(Claim::LeftOut));
        assert!(!selection.look(at(&selection, "/etc/default"), BOOT).leads_on);
        assert!(!selection.look(at(&selection, "/etc/default/owned"), OS_FILES).is_kept);
        assert_eq!(selection.claim_at(at(&selection, "/etc/key-7.pub")), Some(Claim::LeftOut));
        assert_eq!(selection.claim_at(at(&selection, "/etc/key-8.pub")), Some(part(BOOT)));
    }

    #[test]
    fn unwanted_names_are_left_out_of_folders_but_not_what_a_rule_names() {
        let mut selection = sample();
        selection.claim(b"/etc/tmp/kept", part(CONFIGURATION));
        selection.claim(b"/srv/tmp", part(CONFIGURATION));
        selection.leave_names_out(glob::Pattern::new("tmp"));
        selection.leave_names_out_of(b"/etc/sub", glob::Pattern::new("*.mp3"));
        selection.finish();
        let is_kept = |path: &str| selection.look(at(&selection, path), CONFIGURATION).is_kept;
        for path in
            ["/etc/tmpx", "/etc/tmp/kept", "/srv/tmp", "/srv/tmp/x", "/etc/a.mp3", "/etc/sub/deep/a.mp3"]
        {
            assert!(is_kept(path), "{path}");
        }
        for path in ["/etc/tmp", "/etc/a/tmp/b", "/srv/tmp/tmp", "/etc/sub/a.mp3", "/etc/sub/a.mp3/below"] {
            assert!(!is_kept(path), "{path}");
        }
        assert!(selection.look(at(&selection, "/etc/tmp"), CONFIGURATION).leads_on, "to what a rule names");
        assert!(!selection.look(at(&selection, "/etc/a/tmp"), CONFIGURATION).leads_on);
    }

    #[test]
    fn everything_can_be_claimed_at_the_top() {
        let mut selection = Selection::new();
        selection.claim(b"/", part(OS_FILES));
        selection.finish();
        assert_eq!(selection.names(selection.top(), OS_FILES), Names::All);
        assert!(selection.look(at(&selection, "/a/b"), OS_FILES).is_kept);
    }
}
