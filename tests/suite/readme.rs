//! The README's walk works as it is written.

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::walk::walk;

#[test]
fn the_walk_of_the_readme_works() {
    let readme = include_str!("../../README.md");
    let (_, page) = readme.split_once("## Five minutes").expect("the README has the walk");
    let (page, _) = page.split_once("\n## ").expect("the README goes on");
    let commands = walk(&Sandbox::new(), "", page);
    assert!(commands > 10, "the walk has its commands");
}
