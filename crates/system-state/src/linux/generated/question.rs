//! Programs that are asked on every machine that has them: one that is not installed is no warning.

use super::made::Made;
use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::tree::Tree;
use std::thread;

/// A program that is asked.
pub(super) struct Question {
    /// The file's name.
    pub name: &'static str,
    pub program: &'static str,
    pub arguments: &'static [&'static str],
    /// Exit codes that are no failure.
    pub fine: &'static [i32],
    pub needs: Needs,
    /// Takes out what changes by itself; `None` if the answer makes no sense.
    pub tidy: fn(&[u8]) -> Option<Vec<u8>>,
}

/// What must be there for a question to make sense.
#[derive(PartialEq)]
pub(super) enum Needs {
    Nothing,
    /// systemd runs the machine.
    Systemd,
}

/// A question that can always be asked, with lines as its answer.
pub(super) const fn question(
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
) -> Question {
    Question { name, program, arguments, fine: &[0], needs: Needs::Nothing, tidy: lines }
}

fn lines(output: &[u8]) -> Option<Vec<u8>> {
    Some(super::tidy::sorted_lines(output))
}

/// Asks all programs at once: most of them wait more than they work.
pub(super) fn ask_all(questions: &'static [Question], tree: &Tree, made: &mut Made) {
    let is_met = |needs: &Needs| match needs {
        Needs::Nothing => true,
        Needs::Systemd => tree.has("/run/systemd/system"),
    };
    let asked = questions.iter().filter(|question| is_met(&question.needs));
    thread::scope(|scope| {
        let running: Vec<_> = asked.map(|question| (question.name, scope.spawn(|| ask(question)))).collect();
        for (name, answer) in running {
            match answer.join() {
                Ok(Ok(Some(content))) => made.keep(name, content),
                Ok(Ok(None)) => {}
                Ok(Err(why)) => made.fail(name, why),
                Err(_) => made.fail(name, "the thread that asked for it ended early"),
            }
        }
    });
}

fn ask(question: &Question) -> Result<Option<Vec<u8>>, String> {
    match run(question.program, question.arguments, question.fine, TIME_OUT) {
        Ok(output) if output.is_empty() => Ok(None),
        Ok(output) => match (question.tidy)(&output) {
            Some(content) => Ok(Some(content)),
            None => Err(format!("`{}` answered with something else than JSON", question.program)),
        },
        Err(CommandError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}
