//! The reference implementation in one long-lived process: a line of JSON for each question, a line for each answer.

use std::collections::BTreeMap;
use std::process::Command;

use intoto_core::encoding::base64;
use serde_json::{Value, json};

use super::case::Case;
use crate::conversation::Conversation;
use crate::failure::Failure;
use crate::root::Root;
use crate::tools::Tools;

/// The process.
#[derive(Debug)]
pub(crate) struct Peer(Conversation);

/// What it says of a case.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    /// `None` if it verified, else the class of its error.
    pub(super) class: Option<String>,
    pub(super) message: String,
}

impl Judgement {
    /// Whether it verified.
    pub(super) fn is_verified(&self) -> bool {
        self.class.is_none()
    }

    /// The error in a line.
    pub(super) fn shown(&self) -> String {
        match &self.class {
            None => "verified".to_owned(),
            Some(class) => format!("{class}: {}", self.message),
        }
    }
}

impl Peer {
    /// Starts it.
    pub(crate) fn start(root: &Root, tools: &Tools) -> Result<Self, Failure> {
        let mut command = Command::new(tools.python("python"));
        command.arg("-I").arg(root.join("tests/interop/python/diff.py"));
        Conversation::start("the reference implementation", &mut command).map(Self)
    }

    /// Asks one question.
    pub(crate) fn ask(&mut self, question: &Value) -> Result<Value, Failure> {
        self.0.ask_json(question)
    }

    /// Judges a case whose files are these.
    pub(super) fn judge(
        &mut self,
        case: &Case,
        layout: &[u8],
        links: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Judgement, Failure> {
        let keys: serde_json::Map<String, Value> = case
            .owners
            .iter()
            .map(|(owner, style)| (owner.id(*style).to_owned(), owner.in_layout(*style)))
            .collect();
        let links: serde_json::Map<String, Value> = links
            .iter()
            .map(|(path, bytes)| (path.clone(), base64::encode(bytes).into()))
            .collect();
        let answer = self.ask(&json!({
            "op": "verify",
            "layout": base64::encode(layout),
            "links": links,
            "keys": keys,
            "in_hand": case.in_hand,
            // Without any value there is nothing to fill in; its command line cannot pass any.
            "parameters": case.parameters.as_ref().filter(|values| !values.is_empty()),
        }))?;
        Ok(Judgement {
            class: answer["class"].as_str().map(str::to_owned),
            message: answer["message"].as_str().unwrap_or_default().to_owned(),
        })
    }
}
