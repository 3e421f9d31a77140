//! What several unit tests need: scratch directories and repositories.

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::query::Query;

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

    /// Makes a repository of what is here.
    pub(crate) fn commit_all(&self) {
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "all"]);
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
