//! One run of cargo within a step, with what must be true when it has ended.

use std::ffi::OsStr;

use crate::error::{CliError, ErrorKind};
use crate::exec::cargo::Invocation;
use crate::exec::environment::withheld_registry_tokens;
use crate::exec::messages::{Line, Messages};
use crate::exec::process_group::{Ended, Output};
use crate::finding::CargoCode;
use crate::plan::StepPlan;
use crate::recording::Context;
use crate::ui;

/// Runs the plan's cargo; its output goes to the user.
///
/// # Errors
/// When it fails, or leaves a process running.
pub(crate) fn plain(context: &Context<'_>, plan: &StepPlan) -> Result<(), CliError> {
    check(run(context, plan, Output::Inherit)?, &plan.step)
}

/// What reads along with cargo's messages.
pub(super) trait Listener {
    /// Whether standard error comes in the same stream as standard output.
    fn wants_both_streams(&self) -> bool {
        false
    }

    /// Cargo has said that the build is finished; tests, if any, start now.
    fn finished(&mut self, _messages: &Messages) {}

    /// A line that is no message.
    fn text(&mut self, line: &[u8]);
}

/// Hands all text on to our own standard output.
pub(super) struct PassOn;

impl Listener for PassOn {
    fn text(&mut self, line: &[u8]) {
        pass_on(line);
    }
}

/// Runs the plan's cargo and reads its messages.
///
/// # Errors
/// When it fails, leaves a process running, or does not confirm that the build succeeded.
pub(super) fn with_messages(
    context: &Context<'_>,
    plan: &StepPlan,
    listener: &mut dyn Listener,
) -> Result<Messages, CliError> {
    let mut messages = Messages::default();
    let merged = listener.wants_both_streams();
    let mut sink = |line: &[u8]| {
        let was_finished = messages.is_finished();
        if messages.take(line) == Line::Text {
            listener.text(line);
        } else if !was_finished && messages.is_finished() {
            listener.finished(&messages);
        }
    };
    let output = if merged {
        Output::MergedLines(&mut sink)
    } else {
        Output::Lines(&mut sink)
    };
    check(run(context, plan, output)?, &plan.step)?;
    messages.require_success()?;
    Ok(messages)
}

/// Hands a line that a program printed to our own standard output.
pub(super) fn pass_on(line: &[u8]) {
    // A closed pipe ends nobody's build.
    ui::pass_on(line);
}

fn run(context: &Context<'_>, plan: &StepPlan, output: Output<'_>) -> Result<Ended, CliError> {
    let environment: Vec<(&str, &OsStr)> = plan
        .environment
        .iter()
        .map(|(name, value)| (*name, value.as_os_str()))
        .collect();
    context.cargo.run(Invocation {
        arguments: &plan.arguments,
        environment: &environment,
        directory: None,
        output,
    })
}

/// Checks how a step's process ended.
///
/// # Errors
/// The child's own code when it failed; a refusal when it left something running.
pub(super) fn check(ended: Ended, step: &str) -> Result<(), CliError> {
    if !ended.status.success() {
        let error = CliError::new(
            ErrorKind::Child(ended.code()),
            format!("`{step}` failed with code {}, so nothing was signed", ended.code()),
        );
        let tokens = withheld_registry_tokens();
        return Err(if tokens.is_empty() {
            error
        } else {
            error.hint(format!(
                "{} is not handed to cargo while it runs other people's code; for a private registry use `cargo login`",
                tokens.join(", ")
            ))
        });
    }
    refuse_left_running(&ended, step)
}

/// Refuses a step that left processes running.
///
/// # Errors
/// When it did.
pub(super) fn refuse_left_running(ended: &Ended, step: &str) -> Result<(), CliError> {
    if ended.left_running.is_empty() {
        return Ok(());
    }
    Err(CliError::refused(
        CargoCode::ProcessLeftRunning,
        format!(
            "`{step}` ended and left processes running, which have been killed: {}",
            ended.left_running.join(", ")
        ),
    )
    .hint("a build script or test that starts a program must wait for its end"))
}
