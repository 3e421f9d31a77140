//! The list of packages that `cargo auditable` embeds in an executable: nothing is run for it.

use camino::Utf8PathBuf;

use crate::plan::{MaterialQuery, ProductQuery, StepPlan};

/// Plans the comparison of the lists in `executables` with the build.
pub fn auditable(executables: &[Utf8PathBuf]) -> StepPlan {
    let words = executables.iter().map(|path| path.to_string());
    StepPlan {
        step: "auditable".to_owned(),
        command: ["cargo", "intoto", "auditable"]
            .into_iter()
            .map(str::to_owned)
            .chain(words)
            .collect(),
        arguments: Vec::new(),
        environment: Vec::new(),
        materials: MaterialQuery::Paths(executables.to_vec()),
        products: ProductQuery::Report("NAME.auditable.json of every executable".to_owned()),
    }
}
