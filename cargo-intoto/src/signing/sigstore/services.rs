//! Which services are asked: those of a signing configuration, or of the public-good instance.

use camino::Utf8Path;
use sigstore_sign::rekor::RekorApiVersion;
use sigstore_sign::trust_root::{ServiceSelector, SigningConfig};
use sigstore_sign::{ConfigError, Error, Service, SigningServices, SigstoreInstance};

use crate::error::CliError;
use crate::foreign;
use crate::net;
use crate::signing::sigstore::Instance;

/// The public instance's has two thousand bytes.
const MAX_BYTES: usize = 1 << 20;

/// The services of one instance.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) authority: String,
    pub(super) log: Log,
    pub(super) timestamps: Option<String>,
    pub(super) login: Option<String>,
    /// Whether what is logged there is published to everybody.
    pub(super) is_public: bool,
}

/// A log and the version of its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) url: String,
    pub(super) version: LogVersion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogVersion {
    V1,
    V2,
}

impl Services {
    /// Reads the signing configuration, and checks that its services may be asked.
    pub(super) fn of(instance: &Instance) -> Result<Self, CliError> {
        match &instance.signing_config {
            None => Self::select(
                &SigstoreInstance::PublicGood
                    .embedded_signing_config()
                    .ok()
                    .flatten()
                    .ok_or_else(|| CliError::failure("the signing configuration in this program cannot be read"))?,
                "that of the public-good instance in this program",
                true,
            ),
            Some(path) => Self::select(&read(path)?, &format!("`{path}`"), false),
        }
    }

    fn select(config: &SigningConfig, origin: &str, is_public: bool) -> Result<Self, CliError> {
        let chosen = match SigningServices::from_signing_config(config) {
            // A log of the first version states a time itself.
            Err(Error::Config(ConfigError::MissingService(Service::Tsa))) => without_timestamps(config),
            other => other,
        };
        let chosen = chosen.map_err(|error| {
            CliError::usage(format!(
                "the signing configuration, {origin}, has no services to sign with"
            ))
            .because(error)
            .hint("take a newer one with `--signing-config FILE`")
        })?;
        let version = match chosen.rekor_api_version() {
            RekorApiVersion::V1 => LogVersion::V1,
            RekorApiVersion::V2 => LogVersion::V2,
            _ => {
                return Err(CliError::usage(format!(
                    "the signing configuration, {origin}, names a log of an unknown version"
                )));
            }
        };
        let services = Self {
            authority: chosen.fulcio_url().trim_end_matches('/').to_owned(),
            log: Log {
                url: chosen.rekor_url().trim_end_matches('/').to_owned(),
                version,
            },
            timestamps: chosen.tsa_url().map(str::to_owned),
            login: chosen.oidc_url().map(str::to_owned),
            is_public,
        };
        for url in services.urls() {
            if !net::may_be_asked(url) {
                return Err(CliError::usage(format!(
                    "the signing configuration, {origin}, names `{}`, which is no https URL, nor one of this machine",
                    url.escape_debug()
                )));
            }
        }
        Ok(services)
    }

    fn urls(&self) -> impl Iterator<Item = &str> {
        [self.authority.as_str(), self.log.url.as_str()]
            .into_iter()
            .chain(self.timestamps.as_deref())
            .chain(self.login.as_deref())
    }
}

fn read(path: &Utf8Path) -> Result<SigningConfig, CliError> {
    let what = format!("the signing configuration `{path}`");
    let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| unread.about(&what))?;
    let failed = || {
        CliError::usage(format!("failed to read {what}"))
            .hint("it is a JSON file, signing_config.v0.2.json in the instance's TUF repository")
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| failed().because(error))?;
    SigningConfig::from_json(text).map_err(|error| failed().because(error))
}

fn without_timestamps(config: &SigningConfig) -> Result<SigningServices, Error> {
    let missing = |service| Error::from(ConfigError::MissingService(service));
    let selector = config.rekor_tlog_config.selector;
    let is_one = selector == ServiceSelector::Any
        || (selector == ServiceSelector::Exact && config.rekor_tlog_config.count == Some(1));
    if !is_one {
        return Err(ConfigError::UnsatisfiableSelector {
            service: Service::Rekor,
            selector,
            count: config.rekor_tlog_config.count,
        }
        .into());
    }
    let authority = config.fulcio_url().ok_or_else(|| missing(Service::Fulcio))?;
    let log = config
        .rekor_url(Some(RekorApiVersion::V1.major()))
        .ok_or_else(|| missing(Service::Tsa))?;
    let services = SigningServices::new(authority.url.clone(), log.url.clone());
    Ok(match config.oidc_url() {
        Some(login) => services.with_oidc_url(login.url.clone()),
        None => services,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(log: &str, version: u32, timestamps: Option<&str>) -> SigningConfig {
        let endpoint = |url: &str, version: u32| {
            format!(r#"[{{"url":"{url}","majorApiVersion":{version},"validFor":{{"start":"2020-01-01T00:00:00Z"}}}}]"#)
        };
        SigningConfig::from_json(&format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":{},"rekorTlogUrls":{},"tsaUrls":{},
               "rekorTlogConfig":{{"selector":"ANY"}},"tsaConfig":{{"selector":"ANY"}}}}"#,
            endpoint("https://ca.example", 1),
            endpoint(log, version),
            timestamps.map_or("[]".to_owned(), |url| endpoint(url, 1)),
        ))
        .expect("a configuration")
    }

    #[test]
    fn the_public_instance_is_asked_unless_another_is_named() {
        let services = Services::of(&Instance::default()).expect("it is in the program");
        assert_eq!(services.authority, "https://fulcio.sigstore.dev");
        assert!(services.is_public && services.login.is_some());
    }

    #[test]
    fn services_are_selected_or_refused() {
        let select = |config: &SigningConfig| Services::select(config, "a test", false);
        let first = select(&config("https://log.example/", 1, None)).expect("a log that states a time");
        assert_eq!(
            (first.log.url.as_str(), first.log.version),
            ("https://log.example", LogVersion::V1)
        );
        let second = select(&config("http://127.0.0.1:1", 2, Some("http://127.0.0.1:2/tsa"))).expect("both are there");
        assert_eq!(second.log.version, LogVersion::V2);
        for refused in [
            config("https://log.example", 2, None),
            config("https://log.example", 9, Some("https://tsa.example")),
            config("http://log.example", 1, None),
            config("https://log.example", 2, Some("http://tsa.example")),
        ] {
            assert!(select(&refused).is_err());
        }
    }
}
