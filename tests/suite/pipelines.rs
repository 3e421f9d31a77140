//! `init --ci`: what is written, what is left to do, and what is refused. `cargo xtask ci` runs the pipelines.

use cargo_intoto_tests::{Project, Sandbox, sandbox};

const FILES: &[(&str, &str)] = &[
    ("github", ".github/workflows/intoto-release.yml"),
    ("gitlab", ".gitlab-ci.yml"),
    ("jenkins", "Jenkinsfile"),
];

fn project(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().lock().commit("begin");
    project
}

#[test]
fn a_new_workspace_gets_keys_layout_and_pipeline() {
    for (service, file) in FILES {
        let sandbox = Sandbox::new();
        let project = project(&sandbox);
        let output = project
            .intoto(&["init", "--no-passphrase", "--ci", service])
            .succeeds()
            .says(file)
            .prints(&format!(" {file}"));
        let layout = project.read("layouts/release.toml");
        assert!(layout.contains("ci = { file = \"keys/ci.pub\" }"), "{layout}");
        assert!(!layout.contains("owner"), "the owner's key does no step:\n{layout}");
        assert_eq!(layout.matches("by = [\"ci\"]").count(), 4, "{layout}");
        let text = project.read(file);
        for step in ["fetch", "build", "test", "package"] {
            assert!(
                text.contains(&format!("cargo-intoto {step} --unsigned")),
                "{service}: {step}"
            );
        }
        assert!(output.stdout.contains("ci-hello.key"), "{}", output.stdout);
        project.intoto(&["layout", "check"]).succeeds();
        // What the service gets is what the layout lists.
        assert_eq!(
            sandbox.read("home/.config/cargo-intoto/keys/ci-hello.pub"),
            project.read("layouts/keys/ci.pub")
        );

        project
            .intoto(&["init", "--no-passphrase", "--ci", service])
            .exits(2)
            .says("is not overwritten");
        assert_eq!(project.read(file), text);
    }
}

#[test]
fn a_workspace_that_is_set_up_gets_the_pipeline_alone() {
    for (service, file) in FILES {
        let sandbox = Sandbox::new();
        let project = project(&sandbox);
        project.intoto(&["init", "--no-passphrase"]).succeeds();
        let layout = project.read("layouts/release.toml");
        let output = project
            .intoto(&["init", "--ci", service, "--ci-file", "elsewhere/pipeline"])
            .succeeds()
            .says("the step `build` of the layout does not count the key `ci`")
            .prints("cargo intoto key generate ci-hello --no-passphrase\n")
            .prints("layouts/keys/owner.pub");
        assert_eq!(project.read("layouts/release.toml"), layout);
        assert!(project.path("elsewhere/pipeline").is_file());
        assert!(!project.path(file).exists());

        // What it says to do, done: commands, and an edit where the comments are.
        let commands = output.stdout.replace("cargo intoto", sandbox::twin().as_str());
        let (before, after) = commands.split_once("# in layouts").expect("a comment about the layout");
        sandbox.run("hello", "sh", &["-euc", before]).succeeds();
        project.replace(
            "layouts/release.toml",
            "[keys]\n",
            "[keys]\nci = { file = \"keys/ci.pub\" }\n",
        );
        project.replace("layouts/release.toml", "by = [\"owner\"]", "by = [\"ci\"]");
        let sign = after
            .lines()
            .find(|line| line.contains(" layout sign"))
            .expect("a command that signs");
        sandbox.run("hello", "sh", &["-euc", sign]).succeeds();
        project.intoto(&["layout", "check"]).succeeds();
        let output = project.intoto(&["init", "--ci", service]).succeeds();
        assert!(
            !output.stdout.contains("key generate") && !output.stderr.contains("does not count"),
            "{}",
            output.stdout
        );
        assert!(project.path(file).is_file());
    }
}

#[test]
fn nothing_is_written_when_there_can_be_no_pipeline() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    for words in [
        &["--ci", "travis"][..],
        &["--ci-file", "x"],
        &["--ci", "github", "--ci-tool", "latest"],
        &["--ci", "github", "--ci-tool", "git:https://example.org/x#main"],
    ] {
        let mut args = vec!["init", "--no-passphrase"];
        args.extend(words);
        project.intoto(&args).exits(2);
        assert!(!project.path("layouts").exists(), "{words:?}");
        assert!(!sandbox.config().join("keys").exists(), "{words:?}");
    }
    project.file(FILES[0].1, "mine");
    project
        .intoto(&["init", "--no-passphrase", "--ci", "github"])
        .exits(2)
        .says("--ci-file");
    assert_eq!(project.read(FILES[0].1), "mine");
    assert!(!sandbox.config().join("keys").exists());
}

#[test]
fn an_identity_is_refused_where_it_could_not_sign() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let page = include_str!("../../docs/ci.md");
    let command = "cargo intoto init --sigstore --ci github --repository https://github.com/acme/hello";
    assert!(page.contains(&format!("$ {command}\n")));
    let shown: Vec<&str> = command.split(' ').skip(2).collect();
    let cases: [(&[&str], &str); 6] = [
        (
            &shown,
            "has no dependencies, so its step `fetch` makes nothing that an identity could sign",
        ),
        (&["init", "--sigstore"], "nothing says whose identity is to sign"),
        (
            &["init", "--sigstore", "--ci", "github"],
            "nothing says which repository's pipeline is to sign",
        ),
        (
            &["init", "--sigstore", "--ci", "jenkins", "--repository", "https://h/o/r"],
            "no identity that everybody can check",
        ),
        (
            &[
                "init",
                "--sigstore",
                "--ci",
                "github",
                "--repository",
                "https://github.com/*/hello",
            ],
            "no layout could name this identity",
        ),
        (&["init", "--identity", "a@b.example"], "--sigstore"),
    ];
    for (words, expected) in cases {
        project.intoto(words).exits(2).says(expected);
    }
    assert!(!project.path("layouts").exists());
}
