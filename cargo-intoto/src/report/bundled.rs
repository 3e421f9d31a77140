//! The verdict that goes into a bundle: the JSON report without what differs from one machine and moment to the next.

use serde_json::Value;

use super::json;
use crate::verification::{ReferenceTime, Report};

/// Renders a report, with a newline at its end. The same evidence gives the same text.
pub fn render(report: &Report) -> String {
    let mut value = json::value(report);
    if let Value::Object(members) = &mut value {
        members.insert("format".into(), "cargo-intoto-bundle-verdict".into());
        members.remove("bundle");
        members.remove("exit_code");
        // A verdict by the clock holds as long as the layout, whose time stands in it. One as of a stated time says so.
        if matches!(report.time, ReferenceTime::Now(_)) {
            members.remove("as_of");
            members.remove("reference_time");
        }
        for artifact in members
            .get_mut("artifacts")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(artifact) = artifact.as_object_mut() {
                artifact.remove("path");
            }
        }
    }
    json::text(&value)
}
