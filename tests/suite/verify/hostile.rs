//! Hostile link directories and hostile trees.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};
use std::{fs, io};

use cargo_intoto_tests::Output;
use cargo_intoto_tests::vectors::chain;
use serde_json::json;

use super::world::World;

/// What may lie where a link is expected; each would hang or flood a careless reader.
const SPECIAL: [&str; 5] = ["fifo", "zero", "directory", "gigabyte", "nothing-there"];

fn put(world: &World, file: &str, what: &str) {
    let path = world.sandbox.path("chain").join(file);
    let _ = fs::remove_file(&path);
    let done: io::Result<()> = match what {
        "fifo" => {
            let made = world.sandbox.run("chain", "mkfifo", &[file]);
            assert_eq!(made.code, Some(0), "{}", made.shown());
            Ok(())
        }
        "zero" => symlink("/dev/zero", &path),
        "directory" => fs::create_dir(&path),
        "gigabyte" => fs::File::create(&path).and_then(|file| file.set_len(1 << 30)),
        "nothing-there" => symlink("no-such-file", &path),
        other => panic!("{other}"),
    };
    done.expect("the sandbox is writable");
}

fn promptly(verify: impl FnOnce() -> Output) -> Output {
    let start = Instant::now();
    let output = verify();
    assert!(start.elapsed() < Duration::from_secs(20), "{}", output.shown());
    output
}

/// A wanted link that is no file at all: nothing is decided, soon, and the report says what lies there.
#[test]
fn special_files_in_place_of_a_link_decide_nothing() {
    for what in SPECIAL {
        let world = World::new();
        let file = chain::alice().link_file("write");
        put(&world, &file, what);
        let output = promptly(|| world.verify(&[]).exits(3));
        let said = match what {
            "fifo" => "is a FIFO",
            "zero" | "nothing-there" => "is a symbolic link",
            "directory" => "is a directory",
            _ => "is larger than",
        };
        assert!(
            output.stdout.contains("link-unreadable") && output.stdout.contains(said),
            "{what}\n{}",
            output.shown()
        );
    }
}

/// The same beside links that suffice: the verdict stays.
#[test]
fn special_files_do_not_change_the_verdict_on_others() {
    for what in SPECIAL {
        let world = World::new();
        let carol = chain::carol();
        let mut layout = chain::layout();
        layout["keys"][carol.id()] = carol.in_layout();
        layout["steps"][0]["pubkeys"] = json!([chain::alice().id(), carol.id()]);
        world.layout(&layout);
        put(&world, &carol.link_file("write"), what);
        promptly(|| world.verify(&[]).succeeds());
    }
}

#[test]
fn foreign_files_are_ignored() {
    let world = World::new();
    for name in [
        "notes.txt",
        "write.link",
        "write.00000000.link",
        "other.46724ece.link",
        "write.46724ece.link.bak",
    ] {
        world.file(name, "{\"not\": \"a link\"");
    }
    put(&world, "zzz.link", "fifo");
    world.verify(&[]).succeeds();
}

/// Memory is bounded while a gigabyte of JSON is refused: the limit of the process is far below it.
#[test]
fn a_gigabyte_costs_no_memory() {
    let world = World::new();
    put(&world, &chain::alice().link_file("write"), "gigabyte");
    put(&world, "huge.layout", "gigabyte");
    let limited = |layout: &str| {
        let program = cargo_intoto_tests::sandbox::twin();
        let script = format!(
            "ulimit -v 600000; exec {program} verify --layout {layout} --link-dir . --key owner.pub --as-of 2026-11-22T00:00:00Z"
        );
        promptly(|| world.sandbox.run("chain", "sh", &["-c", &script]))
    };
    limited("root.layout").exits(3);
    limited("huge.layout").exits(3).says("is larger than");
}

#[test]
fn an_alias_or_a_toolchain_path_in_the_tree_is_refused() {
    let cases = [
        (
            ".cargo/config.toml",
            "[alias]\nintoto = \"run --quiet --\"\n",
            "cargo-alias-intoto",
        ),
        (
            "rust-toolchain.toml",
            "[toolchain]\npath = \"/tmp/evil\"\n",
            "toolchain-path",
        ),
    ];
    for (file, content, code) in cases {
        let world = World::new();
        // The chain lies in a tree of somebody else; the artifacts' verdict would be good.
        for name in ["root.layout", "owner.pub"] {
            let bytes = fs::read(world.sandbox.path("chain").join(name)).expect("readable");
            world.sandbox.write(format!("tree/layouts/{name}"), bytes);
        }
        world.sandbox.write("tree/Cargo.lock", "version = 4\n");
        let verify = || {
            world.sandbox.intoto(
                ".",
                &[
                    "verify",
                    "--layout",
                    "tree/layouts/root.layout",
                    "--link-dir",
                    "chain",
                    "--key",
                    "tree/layouts/owner.pub",
                    "--as-of",
                    "2026-11-22T00:00:00Z",
                ],
            )
        };
        verify().succeeds();
        world.sandbox.write(format!("tree/{file}"), content);
        verify().exits(1).prints(code);
    }
}

/// The documented commands are immune: inside a tree that replaces `cargo intoto`, the binary itself still tells the truth,
/// and starts neither cargo nor git nor anything of the tree.
#[test]
fn nothing_of_the_tree_is_run() {
    let world = World::new();
    world
        .sandbox
        .write("chain/.git/config", "[core]\n\tfsmonitor = touch ../pwned\n");
    world
        .sandbox
        .write("chain/.cargo/config.toml", "[build]\nrustc-wrapper = \"./evil\"\n");
    world.sandbox.write("chain/evil", "#!/bin/sh\ntouch pwned\n");
    world.sandbox.write("chain/Cargo.toml", "not a manifest");
    world.sandbox.write("empty/keep", "");
    let program = cargo_intoto_tests::sandbox::twin();
    let mut command = world.sandbox.command(&program);
    // Without a PATH there is nothing to run.
    command
        .env("PATH", world.sandbox.path("empty").as_str())
        .current_dir(world.sandbox.path("chain"))
        .args([
            "verify",
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--key",
            "owner.pub",
            "--as-of",
            "2026-11-22T00:00:00Z",
        ]);
    cargo_intoto_tests::sandbox::run(command).succeeds();
    assert!(!world.sandbox.path("chain/pwned").exists() && !world.sandbox.path("pwned").exists());
}
