//! How much of everything is accepted, so that hostile metadata costs bounded time and memory.
//!
//! Specification: none; the specification sets no limits, so each one has its reason here and is far above what real chains need.
//!
//! ```
//! use intoto_core::limits::Limits;
//!
//! let tight = Limits { json_bytes: 1 << 20, ..Limits::default() };
//! assert!(tight.json_bytes < Limits::default().json_bytes);
//! ```

/// The limits that one verification keeps. Going over one is an error, never a silent cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one metadata file. A link of 100,000 artifacts on both sides has some 40 MB.
    pub json_bytes: usize,
    /// Levels of arrays and objects within each other. The reference implementation gives up somewhere between 100 and 500 levels;
    /// layouts need 6. More than [`Limits::JSON_DEPTH_MAX`] counts as that.
    pub json_depth: usize,
    /// Values in one file, counting every array, object, member and element: each costs up to 60 bytes of memory, however
    /// short its text. An artifact is two of them.
    pub json_nodes: usize,
    /// Signatures of one envelope. Each may cost a curve operation; a layout is signed by a handful of owners under two ids each.
    pub signatures: usize,
    /// Keys of one layout. Each is decoded and checked.
    pub keys: usize,
    /// Steps of one layout, and likewise inspections. The largest layout of the measurements has 1000.
    pub steps: usize,
    /// Links looked for per step: one for each key that the step names.
    pub links_per_step: usize,
    /// Artifacts in one list of a link. Trees of compilers have some 100,000 files.
    pub artifacts: usize,
    /// Rules in one list. Every rule may look at every artifact.
    pub rules: usize,
    /// Bytes of all rules of one layout. Compiled, a pattern takes up to 40 times its length; a thousand steps have some 200 KB of rules.
    pub rule_bytes: usize,
    /// Sublayouts within each other. Each level multiplies the files asked for.
    pub sublayout_depth: usize,
    /// Links of one verification together, sublayouts included.
    pub total_links: usize,
    /// Artifacts in all links of one verification together. A name and a digest take some 150 bytes.
    pub total_artifacts: usize,
    /// Bytes of all files together whose evidence counts in one verification: links, sublayouts and bundles. Links with as many artifacts as
    /// [`total_artifacts`](Self::total_artifacts) have some 800 MB.
    pub total_bytes: usize,
    /// JSON values in the by-products, environments and commands of all links of one verification together, and in its sublayouts. They are
    /// kept to its end, and take up to 120 bytes of memory each. A link of this program or of the peers has a few dozens.
    pub total_values: usize,
    /// Inspections of one verification together, those of sublayouts included: as many as one layout may have. Each may list a whole tree.
    pub total_inspections: usize,
    /// Certificate authorities of one layout, and others given besides. Each is decoded, and compared with each certificate.
    pub certificate_authorities: usize,
    /// Certificate constraints of one step. Each is compared with each certificate.
    pub certificate_constraints: usize,
    /// Certificates from a functionary's to the root's, both counted. Real ways have two to four.
    pub certificate_path: usize,
    /// Signatures verified to trace one certificate. Authorities that certify each other allow many ways.
    pub certificate_signatures: usize,
    /// Links by certificates that are looked at for one step. Unlike the others, these files are not known by name.
    pub found_links: usize,
    /// Pattern comparisons of one verification; 200 rules over 20,000 artifacts are 4 million. Patterns made for it take some seconds
    /// of a processor's time for all of them.
    pub rule_work: u64,
}

impl Limits {
    /// The largest depth that any setting can reach: values are dropped and written recursively, which must fit any stack.
    pub const JSON_DEPTH_MAX: usize = 256;

    /// Bytes of one certificate. Real ones have one to four thousand.
    pub const CERTIFICATE_BYTES: usize = 32 << 10;

    /// Names in one certificate: attributes of its subject and alternative names together. Each is compared with those of every other
    /// certificate of a step; authorities of the web allow a hundred.
    pub const CERTIFICATE_NAMES: usize = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_bytes: 64 << 20,
            json_depth: 64,
            json_nodes: 2_000_000,
            signatures: 64,
            keys: 1024,
            steps: 4096,
            links_per_step: 256,
            artifacts: 500_000,
            rules: 10_000,
            rule_bytes: 4 << 20,
            sublayout_depth: 8,
            total_links: 20_000,
            total_artifacts: 4_000_000,
            total_bytes: 1 << 30,
            total_values: 2_000_000,
            total_inspections: 4096,
            certificate_authorities: 64,
            certificate_constraints: 64,
            certificate_path: 8,
            certificate_signatures: 32,
            found_links: 512,
            rule_work: 200_000_000,
        }
    }
}
