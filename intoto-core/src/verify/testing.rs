//! Layers for unit tests, of layouts that nobody signed.

use alloc::string::String;
use alloc::sync::Arc;

use crate::encoding::strict_json;
use crate::envelope::Container;
use crate::layout::{Layout, Parameters};
use crate::limits::Limits;
use crate::time::Timestamp;

use super::freshness::TrustedLayout;
use super::layer::Layer;
use super::trust::AuthenticLayout;

/// A layout with these steps and inspections, as JSON, without evidence.
pub(super) fn layer(path: &[&str], steps: &str, inspections: &str) -> Layer {
    let text = alloc::format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","readme":"","keys":{{}},"steps":[{steps}],"inspect":[{inspections}]}}"#
    );
    let limits = Limits::default();
    let value = strict_json::parse(text.as_bytes(), &limits).expect("JSON");
    let layout = Layout::from_value(&value, &limits).expect("a layout");
    let authentic = AuthenticLayout {
        layout: Arc::new(layout),
        container: Container::Dsse,
        signed_sha256: [0; 32],
        signed_by: [].into(),
    };
    let trusted = TrustedLayout::establish(authentic, Timestamp::from_unix(0), &Parameters::default());
    Layer::new(
        trusted.expect("it is not expired"),
        path.iter().copied().map(String::from).collect(),
        None,
    )
}
