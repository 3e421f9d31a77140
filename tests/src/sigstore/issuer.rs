//! The issuer of identities: tokens for the asking, as a person with an e-mail address or as a job of GitHub Actions, and the browser's
//! way to one.
//!
//! | request | answer |
//! |---|---|
//! | `/mint?email=&audience=&seconds=` | a person's token; seconds may be negative |
//! | `/actions/token?audience=&repository=&owner_id=&workflow=&ref=&trigger=` | a job's token, as GitHub Actions hands it out |
//! | `/auth`, `/token` | the authorization code flow with PKCE, which approves at once |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use intoto_core::encoding::base64;
use rsa::Pkcs1v15Sign;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::Sha256;

use super::authority;
use super::certificate_log::now_in_milliseconds;
use crate::http::{self, Request, Response};

/// What a job must show to get a token.
pub const REQUEST_TOKEN: &str = "request-token-of-the-job";

/// Answers on a port of its own; returns the address, which is the issuer's name. The jobs' issuer is that with `/actions`.
#[must_use]
pub fn serve() -> String {
    let grants = Arc::<Mutex<BTreeMap<String, Grant>>>::default();
    let port = http::serve(move |request| {
        // Whoever asks names the server as it is to be named.
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        answer(request, &own, &grants)
    });
    format!("http://127.0.0.1:{port}")
}

/// What a code stands for.
#[derive(Debug, Clone)]
struct Grant {
    email: String,
    audience: String,
    nonce: Option<String>,
    challenge: Option<String>,
}

fn answer(request: &Request, own: &str, grants: &Mutex<BTreeMap<String, Grant>>) -> Response {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let query = Form::parse(query);
    match path {
        "/healthz" => Response::ok("ok"),
        "/.well-known/openid-configuration" => configuration(own, own),
        "/actions/.well-known/openid-configuration" => configuration(&format!("{own}/actions"), own),
        "/keys" => keys(),
        "/mint" => {
            let seconds = query.get("seconds").and_then(|text| text.parse().ok()).unwrap_or(600);
            let mut claims = person(query.get("email").unwrap_or("dev@example.com"), seconds);
            claims["iss"] = own.into();
            claims["aud"] = query.get("audience").unwrap_or("sigstore").into();
            Response::ok(token(&claims))
        }
        "/actions/token" => job_token(request, &query, own),
        "/auth" => authorize(&query, grants),
        "/token" => redeem(&Form::parse(&String::from_utf8_lossy(&request.body)), own, grants),
        _ => Response::missing(),
    }
}

fn configuration(issuer: &str, own: &str) -> Response {
    reply(&json!({
        "issuer": issuer,
        "jwks_uri": format!("{own}/keys"),
        "authorization_endpoint": format!("{own}/auth"),
        "token_endpoint": format!("{own}/token"),
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email"],
        "claims_supported": ["sub", "email", "email_verified"],
    }))
}

fn keys() -> Response {
    let key = authority::issuer_key();
    reply(&json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "private",
        "n": url_safe(&key.n_bytes()), "e": url_safe(&key.e_bytes()),
    }] }))
}

fn person(email: &str, seconds: i64) -> Value {
    let now = (now_in_milliseconds() / 1000) as i64;
    json!({
        "sub": email, "email": email, "email_verified": true,
        "iat": now.min(now + seconds), "nbf": now.min(now + seconds) - 5, "exp": now + seconds,
    })
}

/// A job's claims, as GitHub's documentation of its tokens has them.
fn job_token(request: &Request, query: &Form, own: &str) -> Response {
    let shown = request.header("authorization").unwrap_or_default();
    if !shown.eq_ignore_ascii_case(&format!("bearer {REQUEST_TOKEN}")) {
        return Response::new("401 Unauthorized", "no such request token");
    }
    let or = |name: &str, default: &str| query.get(name).unwrap_or(default).to_owned();
    let repository = or("repository", "example/demo");
    let reference = or("ref", "refs/tags/v0.1.0");
    let owner = repository.split('/').next().unwrap_or_default();
    let workflow = format!(
        "{repository}/{}@{reference}",
        or("workflow", ".github/workflows/release.yml")
    );
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let now = now_in_milliseconds() / 1000;
    reply(&json!({ "value": token(&json!({
        "iss": format!("{own}/actions"),
        "aud": or("audience", "sigstore"),
        "sub": format!("repo:{repository}:ref:{reference}"),
        "iat": now, "nbf": now - 5, "exp": now + 600,
        "repository": repository,
        "repository_id": or("repository_id", "1001"),
        "repository_owner": owner,
        "repository_owner_id": or("owner_id", "2002"),
        "repository_visibility": "public",
        "ref": reference,
        "ref_type": "tag",
        "sha": commit,
        "workflow": "release",
        "workflow_ref": workflow,
        "workflow_sha": commit,
        "job_workflow_ref": workflow,
        "job_workflow_sha": commit,
        "event_name": or("trigger", "push"),
        "runner_environment": "github-hosted",
        "run_id": "3003",
        "run_attempt": "1",
    })) }))
}

fn authorize(query: &Form, grants: &Mutex<BTreeMap<String, Grant>>) -> Response {
    let mut grants = grants.lock().expect("no request panics");
    let code = format!("code-{}-{}", grants.len(), now_in_milliseconds());
    let grant = Grant {
        email: query.get("login_hint").unwrap_or("dev@example.com").to_owned(),
        audience: query.get("client_id").unwrap_or("sigstore").to_owned(),
        nonce: query.get("nonce").map(str::to_owned),
        challenge: query.get("code_challenge").map(str::to_owned),
    };
    grants.insert(code.clone(), grant);
    match query.get("redirect_uri") {
        Some(uri) if uri.starts_with("http://") => {
            let to = format!("{uri}?code={code}&state={}", query.get("state").unwrap_or_default());
            Response::new("302 Found", "").header("Location", &to)
        }
        // Out of band: the person copies it.
        _ => Response::ok(format!("{code}\n")),
    }
}

fn redeem(form: &Form, own: &str, grants: &Mutex<BTreeMap<String, Grant>>) -> Response {
    let code = form.get("code").unwrap_or_default();
    let grant = grants.lock().expect("no request panics").remove(code);
    let verifier = form.get("code_verifier").unwrap_or_default();
    let shown = url_safe(&intoto_core::digest::sha256(verifier.as_bytes()));
    match grant {
        Some(grant) if grant.challenge.as_ref().is_none_or(|challenge| *challenge == shown) => {
            let mut claims = person(&grant.email, 600);
            claims["iss"] = own.into();
            claims["aud"] = grant.audience.into();
            if let Some(nonce) = grant.nonce {
                claims["nonce"] = nonce.into();
            }
            reply(
                &json!({ "access_token": "none", "token_type": "Bearer", "expires_in": 600, "id_token": token(&claims) }),
            )
        }
        _ => Response::new("400 Bad Request", r#"{"error":"invalid_grant"}"#),
    }
}

/// A token of these claims: RFC 7519.
fn token(claims: &Value) -> String {
    let head = json!({ "alg": "RS256", "typ": "JWT", "kid": "private" });
    let part = |value: &Value| url_safe(value.to_string().as_bytes());
    let body = format!("{}.{}", part(&head), part(claims));
    let digest = intoto_core::digest::sha256(body.as_bytes());
    let signature = authority::issuer_key().sign(Pkcs1v15Sign::new::<Sha256>(), &digest);
    format!("{body}.{}", url_safe(&signature.expect("keys in memory sign")))
}

fn url_safe(bytes: &[u8]) -> String {
    let text = base64::encode(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}

fn reply(value: &Value) -> Response {
    Response::ok(value.to_string()).header("Content-Type", "application/json")
}

/// What stands behind `?`, or in the body of a form.
struct Form(BTreeMap<String, String>);

impl Form {
    fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            other => other,
        };
        out.push(byte);
    }
    String::from_utf8_lossy(&out).into_owned()
}
