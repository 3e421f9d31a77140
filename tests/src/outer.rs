//! What of the outer environment reaches a clean one: toolchains and the way to the package registry, nothing else.
//!
//! It needs only the standard library, because `cargo xtask` shares this file by its path and not the package.

use std::ffi::OsString;

/// The variables that programs need to find toolchains and reach the package registry.
pub const PASSED_ON: &[&str] = &[
    "PATH",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Keeps rustup from installing or updating a toolchain because a crate under test has a `rust-toolchain.toml`: the machine is not ours to change.
pub const NO_INSTALL: (&str, &str) = ("RUSTUP_AUTO_INSTALL", "0");

/// Where rustup keeps its toolchains, which follows from a `HOME` that a clean environment replaces.
#[must_use]
pub fn rustup_home() -> OsString {
    let usual = || {
        std::env::home_dir()
            .unwrap_or_default()
            .join(".rustup")
            .into_os_string()
    };
    std::env::var_os("RUSTUP_HOME").unwrap_or_else(usual)
}
