//! What is done to a demo chain that every implementation must refuse.

/// One thing wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// A file changes between two steps.
    SourceChanged,
    /// The first step is recorded by a functionary of another step.
    WrongFunctionary,
    /// A product's digest in a signed link is changed.
    LinkEdited,
    /// The last step's link is gone.
    LinkMissing,
    /// The consumer's archive is not the packaged one.
    ArtifactChanged,
    /// The layout has expired.
    LayoutExpired,
    /// The layout is signed by someone else.
    LayoutByStranger,
}

impl Attack {
    pub(crate) const ALL: [Self; 7] = [
        Self::SourceChanged,
        Self::WrongFunctionary,
        Self::LinkEdited,
        Self::LinkMissing,
        Self::ArtifactChanged,
        Self::LayoutExpired,
        Self::LayoutByStranger,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SourceChanged => "source changed between steps",
            Self::WrongFunctionary => "key of another step",
            Self::LinkEdited => "link edited",
            Self::LinkMissing => "link missing",
            Self::ArtifactChanged => "artifact changed",
            Self::LayoutExpired => "layout expired",
            Self::LayoutByStranger => "layout signed by a stranger",
        }
    }
}
