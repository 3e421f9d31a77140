//! Fixed files: written by in-toto 3.1.0 (`Metablock.__repr__`, `json.dumps(Envelope.to_dict(), sort_keys=True)`) with securesystemslib 1.6.0's
//! `CryptoSigner` for the Ed25519 seed `01…01` and the P-256 scalar `02…02`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::encoding::{base64, to_json};
use crate::key::{KeyIdStyle, SecretKey, SignatureError, Signer};

const PYTHON_METABLOCK: &str = r#"{
 "signatures": [
  {
   "keyid": "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12",
   "sig": "16fc7e0cb22160e12a4bc0658fb89424c635a8a7cfff6b6cc4e5b22fc186c10c57c03c6a593911f026c357bdb14186c060f1b5a045bda00368f30c3420684206"
  }
 ],
 "signed": {
  "_type": "link",
  "byproducts": {
   "return-value": 0,
   "stdout": "a\"\\\u007f\u2028\ud83d\ude00"
  },
  "command": [
   "true"
  ],
  "environment": {},
  "materials": {
   "\u00e9\n": {
    "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
   }
  },
  "name": "build",
  "products": {}
 }
}"#;
const PYTHON_DSSE: &str = r#"{"payload": "eyJfdHlwZSI6ICJsaW5rIiwgImJ5cHJvZHVjdHMiOiB7InJldHVybi12YWx1ZSI6IDAsICJzdGRvdXQiOiAiYVwiXFxcdTAwN2ZcdTIwMjhcdWQ4M2RcdWRlMDAifSwgImNvbW1hbmQiOiBbInRydWUiXSwgImVudmlyb25tZW50Ijoge30sICJtYXRlcmlhbHMiOiB7Ilx1MDBlOVxuIjogeyJzaGEyNTYiOiAiMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCJ9fSwgIm5hbWUiOiAiYnVpbGQiLCAicHJvZHVjdHMiOiB7fX0=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"keyid": "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12", "sig": "yzhkcaGUVw6DYNnJukEIElKqssBo0usTYbb/O4E5rKpdJu+/2P0NY5bicFTCOGso1FowaOmlKoK74/fM9PXnDw=="}]}"#;
const P256_METABLOCK_SIG: &str = "30450220355dc72194cef4880091075b683b2a3c4e99003769d03140c8c7710d051a5f72022100c0486d5c0b977a75072e75b2d63a723136961009782bc34b7b9600d1b00f00f2";
const P256_DSSE_SIG: &str =
    "MEUCIQC6sRnaVmGVd56kxmHmL34j+H9oc3kuovsMCauKZnJHRgIgHd73WTnCQjMlU2FwkhZ4nVwRfMxNTm9IkzGnfu9MUro=";
const CONTAINERS: [Container; 2] = [Container::Dsse, Container::Metablock];

fn ed25519() -> SecretKey {
    SecretKey::ed25519_from_seed([1; 32])
}

fn p256() -> SecretKey {
    SecretKey::p256_from_scalar([2; 32]).unwrap()
}

fn parse(text: &str) -> Result<Envelope<'_>, EnvelopeError> {
    Envelope::parse(text.as_bytes(), &Limits::default())
}

fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

fn python_id(key: &dyn Signer) -> KeyId {
    key.public_key().key_id(KeyIdStyle::Python)
}

fn link() -> Value<'static> {
    parse(PYTHON_METABLOCK)
        .unwrap()
        .payload_value()
        .unwrap()
        .into_owned()
        .into_owned()
}

fn verifies(file: &[u8], secret: &SecretKey, accepted: &[KeyId]) -> Result<(), VerifyError> {
    Envelope::parse(file, &Limits::default())
        .unwrap()
        .verify(secret.public_key(), accepted)
        .map(|_| ())
}

#[test]
fn python_files_verify() {
    let (ed25519_id, p256_id) = (python_id(&ed25519()), python_id(&p256()));
    for (text, container) in [(PYTHON_METABLOCK, Container::Metablock), (PYTHON_DSSE, Container::Dsse)] {
        let envelope = parse(text).unwrap();
        assert_eq!(envelope.container(), container);
        assert_eq!(envelope.received(), text.as_bytes());
        let verified = envelope
            .verify(ed25519().public_key(), core::slice::from_ref(&ed25519_id))
            .unwrap();
        assert_eq!(verified.key_id(), &ed25519_id);
        assert_eq!(verified.key(), Some(ed25519().public_key()));
        assert_eq!(*verified.value().unwrap(), link());
        // The same with the P-256 key's signature in place of the Ed25519 one.
        let start = text.find("\"sig\": \"").unwrap() + 8;
        let end = start + text[start..].find('"').unwrap();
        let signature = if container == Container::Dsse {
            P256_DSSE_SIG
        } else {
            P256_METABLOCK_SIG
        };
        let text =
            format!("{}{signature}{}", &text[..start], &text[end..]).replace(ed25519_id.as_str(), p256_id.as_str());
        assert_eq!(
            verifies(text.as_bytes(), &p256(), core::slice::from_ref(&p256_id)),
            Ok(())
        );
    }
}

#[test]
fn files_are_written_as_python_writes_them() {
    let key_id = python_id(&ed25519());
    for (container, expected) in [(Container::Metablock, PYTHON_METABLOCK), (Container::Dsse, PYTHON_DSSE)] {
        let file = sign(&link(), &[(&ed25519(), key_id.clone())], container).unwrap();
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }
}

#[test]
fn white_space_upper_case_and_the_other_alphabet_change_nothing() {
    let accepted = [python_id(&ed25519())];
    let root = strict_json::parse(PYTHON_METABLOCK.as_bytes(), &Limits::default()).unwrap();
    let compact = to_json(&root).replace("16fc7e0c", "16FC7E0C");
    assert_eq!(verifies(compact.as_bytes(), &ed25519(), &accepted), Ok(()));
    let url_safe = PYTHON_DSSE
        .replace("bb/O4E5rKpdJu+/2P", "bb_O4E5rKpdJu-_2P")
        .replace("74/fM", "74_fM");
    assert_eq!(verifies(url_safe.as_bytes(), &ed25519(), &accepted), Ok(()));
}

#[test]
fn what_is_signed_cannot_change() {
    let accepted = [python_id(&ed25519())];
    for (from, to) in [
        ("\"return-value\": 0", "\"return-value\": 1"),
        ("\"return-value\": 0", "\"return-value\": 0, \"extra\": 1"),
        ("\"environment\": {},", ""),
        ("\\u007f", "\\u007e"),
    ] {
        let text = PYTHON_METABLOCK.replace(from, to);
        assert_ne!(text, PYTHON_METABLOCK);
        let expected = Err(VerifyError::Signature(SignatureError::Mismatch));
        assert_eq!(verifies(text.as_bytes(), &ed25519(), &accepted), expected, "{to}");
    }
    // DSSE: the same JSON with other white space is another payload.
    let payload = base64::encode(to_json(&link()).as_bytes());
    let start = PYTHON_DSSE.find("eyJ").unwrap();
    let end = start + PYTHON_DSSE[start..].find('"').unwrap();
    let text = format!("{}{payload}{}", &PYTHON_DSSE[..start], &PYTHON_DSSE[end..]);
    assert!(verifies(text.as_bytes(), &ed25519(), &accepted).is_err());
}

#[test]
fn only_accepted_ids_are_tried() {
    let secret = ed25519();
    for container in CONTAINERS {
        let file = sign(&link(), &[(&secret, id("mine"))], container).unwrap();
        assert_eq!(verifies(&file, &secret, &[id("other"), id("mine")]), Ok(()));
        assert_eq!(verifies(&file, &secret, &[id("other")]), Err(VerifyError::NoSignature));
        assert_eq!(verifies(&file, &secret, &[id("MINE")]), Err(VerifyError::NoSignature));
        assert_eq!(verifies(&file, &secret, &[]), Err(VerifyError::NoSignature));
        let stranger = SecretKey::ed25519_from_seed([9; 32]);
        let mismatch = VerifyError::Signature(SignatureError::Mismatch);
        assert_eq!(verifies(&file, &stranger, &[id("mine")]), Err(mismatch));
    }
}

#[test]
fn dispatch() {
    for (text, expected) in [
        ("[]", "expected an object, found an array"),
        ("{}", "neither a DSSE envelope (`payload`) nor a Metablock (`signed`)"),
        (
            r#"{"signatures":[]}"#,
            "neither a DSSE envelope (`payload`) nor a Metablock (`signed`)",
        ),
        (
            r#"{"signed":{},"payload":""}"#,
            "both a DSSE envelope (`payload`) and a Metablock (`signed`)",
        ),
        (
            r#"{"signed":{},"payloadType":""}"#,
            "both a DSSE envelope (`payload`) and a Metablock (`signed`)",
        ),
        (r#"{"signed":{}}"#, "`signatures` must be an array"),
        (r#"{"signed":{},"signatures":{}}"#, "`signatures` must be an array"),
        (
            r#"{"signed":{},"signatures":[1]}"#,
            "`signatures` must be an array of objects",
        ),
        (
            r#"{"signed":{},"signatures":[{"keyid":1}]}"#,
            "`signatures.keyid` must be a string",
        ),
        (r#"{"signed":[],"signatures":[]}"#, "`signed` must be an object"),
        (
            r#"{"signed":{},"signatures":[],"x":1}"#,
            "unknown member \"x\" in a Metablock",
        ),
        (
            r#"{"signed":{"a":1.5},"signatures":[]}"#,
            "`signed`: the number 1.5 has no canonical form",
        ),
        (r#"{"payload":""}"#, "`payloadType` must be a string"),
        (
            r#"{"payload":"","payloadType":"application/vnd.in-toto+JSON","signatures":[]}"#,
            "expected the payload type application/vnd.in-toto+json, found \"application/vnd.in-toto+JSON\"",
        ),
        (
            r#"{"payloadType":"application/vnd.in-toto+json","signatures":[]}"#,
            "`payload` must be a string",
        ),
        (
            r#"{"payload":"e30","payloadType":"application/vnd.in-toto+json","signatures":[]}"#,
            "the payload is not padded base64",
        ),
        (
            r#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[],"bundle":1}"#,
            "unknown member \"bundle\" in a DSSE",
        ),
        ("{", "unexpected end, expected a key or `}` at line 1 column 2"),
    ] {
        assert_eq!(
            parse(text).err().map(|error| error.to_string()).as_deref(),
            Some(expected),
            "{text}"
        );
    }
    let many = |count: usize| {
        let others = "{},".repeat(count - 1);
        format!(r#"{{"signed":{{}},"signatures":[{others}{{}}]}}"#)
    };
    assert_eq!(parse(&many(64)).unwrap().signatures().len(), 64);
    assert_eq!(
        parse(&many(65)).unwrap_err(),
        EnvelopeError::TooManySignatures { found: 65, limit: 64 }
    );
}

#[test]
fn a_payload_is_strict_json_and_may_hold_floats() {
    let dsse = |payload: &[u8]| {
        let payload = base64::encode(payload);
        format!(r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[]}}"#)
    };
    let value = |text: &str| parse(text).unwrap().payload_value().map(|value| to_json(&value));
    assert_eq!(value(&dsse(br#"{"a": 1.5}"#)).as_deref(), Ok(r#"{"a":1.5}"#));
    let error = value(&dsse(br#"{"a":1,"a":1}"#)).unwrap_err().to_string();
    assert_eq!(error, r#"payload: the key "a" twice in the object at line 1 column 1"#);
    assert!(value(&dsse(b"\xff")).is_err());
}

#[test]
fn entries_of_other_kinds_spoil_nothing() {
    let secret = ed25519();
    let accepted = [id("good")];
    for container in CONTAINERS {
        let file = String::from_utf8(sign(&link(), &[(&secret, id("good"))], container).unwrap()).unwrap();
        for (entry, expected) in [
            (
                r#"{"keyid":"x","other_headers":"04","signature":"aa"}"#,
                Err(match container {
                    Container::Dsse => VerifyError::OpenPgpInDsse,
                    Container::Metablock => VerifyError::OtherForm {
                        found: "OpenPGP",
                        expected: "plain",
                    },
                }),
            ),
            (
                r#"{"keyid":"x"}"#,
                Err(VerifyError::Unreadable {
                    reason: "there is no `sig`",
                }),
            ),
            (
                r#"{"keyid":"x","sig":null}"#,
                Err(VerifyError::Unreadable {
                    reason: "`sig` is not a string",
                }),
            ),
            (r#"{"keyid":"x\u0000","sig":""}"#, Err(VerifyError::NoSignature)),
            (r#"{"keyid":"","sig":""}"#, Err(VerifyError::NoSignature)),
            (r#"{"sig":""}"#, Err(VerifyError::NoSignature)),
            (
                r#"{"keyid":"x","sig":""}"#,
                Err(VerifyError::Signature(SignatureError::Malformed { scheme: "ed25519" })),
            ),
        ] {
            let with_entry = file.replacen("\"signatures\": [", &format!("\"signatures\": [{entry},"), 1);
            assert_eq!(verifies(with_entry.as_bytes(), &secret, &accepted), Ok(()), "{entry}");
            assert_eq!(
                verifies(with_entry.as_bytes(), &secret, &[id("x")]),
                expected,
                "{entry}"
            );
        }
        // Go writes the signer's certificate beside the signature.
        let with_certificate = file.replacen("\"keyid\":", "\"cert\": \"-----BEGIN\", \"keyid\":", 1);
        assert_eq!(verifies(with_certificate.as_bytes(), &secret, &accepted), Ok(()));
    }
}

#[test]
fn several_signatures_under_one_id() {
    let secret = ed25519();
    let stranger = SecretKey::ed25519_from_seed([9; 32]);
    for (container, expected) in [
        (Container::Dsse, Ok(())),
        (
            Container::Metablock,
            Err(VerifyError::Signature(SignatureError::Mismatch)),
        ),
    ] {
        let file = sign(&link(), &[(&stranger, id("a")), (&secret, id("b"))], container).unwrap();
        let file = String::from_utf8(file)
            .unwrap()
            .replace("\"keyid\": \"b\"", "\"keyid\": \"a\"");
        assert_eq!(verifies(file.as_bytes(), &secret, &[id("a")]), expected, "{container}");
        assert_eq!(verifies(file.as_bytes(), &stranger, &[id("a")]), Ok(()), "{container}");
    }
}

#[test]
fn one_key_under_two_ids_signs_once() {
    struct Counting(SecretKey, core::cell::Cell<usize>);
    impl Signer for Counting {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, crate::key::SignError> {
            self.1.set(self.1.get() + 1);
            self.0.sign(message)
        }
    }
    let signer = Counting(p256(), core::cell::Cell::new(0));
    let ids = signer.public_key().key_ids();
    let signers: Vec<(&dyn Signer, KeyId)> = ids.iter().map(|id| (&signer as &dyn Signer, id.clone())).collect();
    let file = sign(&link(), &signers, Container::Metablock).unwrap();
    assert_eq!(signer.1.get(), 1);
    for id in ids {
        assert_eq!(verifies(&file, &p256(), &[id]), Ok(()));
    }
}

#[test]
fn unsigned_append_and_replace() {
    let (first, second) = (ed25519(), p256());
    let limits = Limits::default();
    for container in CONTAINERS {
        let bare = unsigned(&link(), container).unwrap();
        assert!(Envelope::parse(&bare, &limits).unwrap().signatures().is_empty());
        let once = append(&bare, &[(&first, id("a"))], &limits).unwrap();
        assert_eq!(once, sign(&link(), &[(&first, id("a"))], container).unwrap());
        let both = append(&once, &[(&second, id("b"))], &limits).unwrap();
        assert_eq!(verifies(&both, &first, &[id("a")]), Ok(()));
        assert_eq!(verifies(&both, &second, &[id("b")]), Ok(()));
        let taken_over = append(&both, &[(&second, id("a"))], &limits).unwrap();
        assert_eq!(Envelope::parse(&taken_over, &limits).unwrap().signatures().len(), 2);
        assert_eq!(verifies(&taken_over, &second, &[id("a")]), Ok(()));
        let replaced = replace(&both, &[(&second, id("b"))], &limits).unwrap();
        assert_eq!(replaced, sign(&link(), &[(&second, id("b"))], container).unwrap());
    }
    // What others wrote stays: the payload's bytes, and entries with members that this crate does not know.
    let foreign = r#"{"payloadType":"application/vnd.in-toto+json","payload":"eyAgfQ==","signatures":[{"cert":"c","keyid":"x","sig":"AA=="}]}"#;
    let appended = String::from_utf8(append(foreign.as_bytes(), &[(&first, id("a"))], &limits).unwrap()).unwrap();
    assert!(appended.contains(r#""payload": "eyAgfQ==""#) && appended.contains(r#"{"cert": "c", "keyid": "x""#));
}

#[test]
fn signing_refuses() {
    let float = Value::Object(Object::from_iter([("a", Value::Float("1.5".into()))]));
    for container in CONTAINERS {
        assert!(matches!(sign(&float, &[], container), Err(SignError::Canonical(_))));
    }
    let key = ed25519();
    let twice: [(&dyn Signer, KeyId); 2] = [(&key, id("a")), (&key, id("a"))];
    assert_eq!(
        sign(&link(), &twice, Container::Dsse),
        Err(SignError::RepeatedKeyId { key_id: id("a") })
    );

    struct Faulty(SecretKey, Box<dyn Fn() -> Result<Vec<u8>, crate::key::SignError>>);
    impl Signer for Faulty {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }

        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, crate::key::SignError> {
            self.1()
        }
    }
    let wrong = Faulty(ed25519(), Box::new(|| Ok(vec![0; 64])));
    assert!(matches!(
        sign(&link(), &[(&wrong, id("a"))], Container::Dsse),
        Err(SignError::DoesNotVerify { .. })
    ));
    let broken = Faulty(
        ed25519(),
        Box::new(|| {
            Err(crate::key::SignError::Failed {
                reason: "token removed".into(),
            })
        }),
    );
    let error = sign(&link(), &[(&broken, id("a"))], Container::Dsse)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "key a: cannot sign: token removed");
}
