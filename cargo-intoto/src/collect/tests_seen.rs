//! Whether a workspace seems to have tests: a look at the sources, for advice and for nothing that decides.

use crate::collect::walk::Walk;
use crate::foreign;
use crate::workspace::{Member, Target};

/// Words that stand in a source file with tests, whichever framework they are written for, and the start of a documentation test.
const SIGNS: [&str; 6] = ["test]", "test(", "test_case", "proptest!", "quickcheck", "```"];
/// Larger sources are generated, and not looked into.
const MAX_BYTES: usize = 4 << 20;

/// Whether any of these members has a target of tests, or a source file that looks as if there were some in it. Files that
/// cannot be read are taken to have some.
pub fn any<'m>(members: impl IntoIterator<Item = &'m Member>) -> bool {
    members
        .into_iter()
        .flat_map(|member| &member.package.targets)
        .any(|target| target.is("test") || ((target.test || target.doctest) && has_signs(target)))
}

/// Whether a sign stands in a source file beside the target's root or below.
fn has_signs(target: &Target) -> bool {
    let Some(directory) = target.src_path.parent() else {
        return true;
    };
    let Ok(files) = Walk::below(directory).files() else {
        return true;
    };
    files.iter().filter(|file| file.ends_with(".rs")).any(|file| {
        match foreign::read(&directory.join(file), MAX_BYTES) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                SIGNS.iter().any(|sign| text.contains(sign))
            }
            Err(_) => true,
        }
    })
}
