//! What several unit tests need: scratch directories and repositories.

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::query::Query;
use crate::workspace::{Member, Package, Purl, Source};

/// A directory that goes away with this value.
pub(crate) struct Scratch {
    _guard: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
        Self { _guard: guard, path }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let full = self.path.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(&full, content).unwrap();
        full
    }

    /// Runs git here, with a fixed author and nobody's configuration.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.path, args)
    }

    /// Puts a tree of these lines, as `git ls-tree` would print them, into the repository here, however strange they are; its name.
    pub(crate) fn tree(&self, lines: &str) -> String {
        let list = self.write("list", lines);
        let answer = Query::new(Path::new("sh"))
            .args(["-c", &format!("git mktree < {list}")])
            .current_dir(&self.path)
            .run()
            .unwrap();
        answer.stdout_text("git mktree").unwrap().trim().to_owned()
    }

    /// Makes a repository of what is here.
    pub(crate) fn commit_all(&self) {
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "all"]);
    }
}

/// A member of a workspace, version 1.0.0, that may be published to these registries.
pub(crate) fn member(name: &str, registries: Option<&[&str]>) -> Member {
    Member {
        package: Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: Source::Path,
            source_text: None,
            manifest_path: "/w/Cargo.toml".into(),
            purl: Purl::new(name, "1.0.0", &Source::Path),
            targets: Vec::new(),
            readme: None,
            license_file: None,
        },
        publishable: true,
        registries: registries.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        is_default: true,
    }
}

pub(crate) fn git(directory: &Utf8Path, args: &[&str]) -> String {
    let answer = Query::new(Path::new("git"))
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .run()
        .unwrap();
    assert!(answer.success, "git {args:?}: {}", answer.stderr_text());
    answer.stdout_text("git").unwrap().to_owned()
}

/// A `.crate` as cargo writes it, of (path below the top folder, mode, content).
pub(crate) fn crate_bytes(stem: &str, files: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        builder
            .append_data(&mut header, format!("{stem}/{path}"), content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}
