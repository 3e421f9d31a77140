//! What the recorded commands mean: nothing by themselves, a refusal when the verifier says so.

use cargo_intoto_tests::vectors::chain;
use serde_json::json;

use super::world::World;

#[test]
fn another_command_is_a_warning_and_a_refusal_on_demand() {
    let world = World::new();
    world.verify(&["--exact-commands"]).succeeds();
    let mut layout = chain::layout();
    let step = layout["steps"][0].as_object_mut().expect("a step");
    step.insert("expected_command".to_owned(), json!(["make", "--other"]));
    world.layout(&layout);
    world.verify(&[]).succeeds().prints("command-differs");
    world.verify(&["--exact-commands"]).exits(1).prints("command-differs");
}
