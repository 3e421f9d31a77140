//! A whole chain out of bytes: payloads that are sealed here, so that the fuzzer need not find a signature.

use intoto_core::digest::to_hex;
use intoto_core::encoding::{base64, pae, strict_json, to_canonical};
use intoto_core::envelope::PAYLOAD_TYPE;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::Verdict;
use intoto_core::verify::{Admitted, EvidenceFile, Policy, Progress, Session};

use crate::people;

/// Ends a section: no text in UTF-8 has this byte.
const SEPARATOR: u8 = 0xff;

/// The sections of an input: the layout's, then those of the files that are asked for, in order.
#[derive(Debug)]
pub struct Chain<'a> {
    layout: Section<'a>,
    files: Vec<Section<'a>>,
}

/// A payload and what is done with it.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    flags: u8,
    payload: &'a [u8],
}

impl<'a> Section<'a> {
    const METABLOCK: u8 = 1;
    const FORGED: u8 = 2;
    const RAW: u8 = 4;
    const ABSENT: u8 = 8;

    fn new(bytes: &'a [u8]) -> Self {
        match bytes.split_first() {
            // Letters and digits of JSON keep their place: a flag byte is below the blank.
            Some((flags, payload)) if *flags < 0x20 => Self { flags: *flags, payload },
            _ => Self {
                flags: 0,
                payload: bytes,
            },
        }
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn seal(self, secret: &SecretKey, id: &str) -> Vec<u8> {
        if self.has(Self::RAW) {
            return self.payload.to_vec();
        }
        let secret = if self.has(Self::FORGED) {
            people::stranger()
        } else {
            secret
        };
        let sign = |message: &[u8]| secret.sign(message).expect("keys in memory sign");
        if self.has(Self::METABLOCK) {
            let canonical = strict_json::parse(self.payload, &Limits::default())
                .ok()
                .and_then(|value| to_canonical(&value).ok());
            let signature = to_hex(&sign(canonical.as_deref().unwrap_or(self.payload)));
            let mut file =
                format!("{{\"signatures\":[{{\"keyid\":\"{id}\",\"sig\":\"{signature}\"}}],\"signed\":").into_bytes();
            file.extend_from_slice(self.payload);
            file.push(b'}');
            return file;
        }
        let signature = base64::encode(&sign(&pae(PAYLOAD_TYPE, self.payload)));
        format!(
            "{{\"payload\":\"{}\",\"payloadType\":\"{PAYLOAD_TYPE}\",\"signatures\":[{{\"keyid\":\"{id}\",\"sig\":\"{signature}\"}}]}}",
            base64::encode(self.payload)
        )
        .into_bytes()
    }
}

impl<'a> Chain<'a> {
    /// Takes an input apart; nothing if it asks for more files than a run should take time for.
    pub fn new(input: &'a [u8]) -> Option<Self> {
        let mut sections = input.split(|byte| *byte == SEPARATOR).map(Section::new);
        let layout = sections.next()?;
        let files: Vec<_> = sections.take(17).collect();
        (files.len() < 17).then_some(Self { layout, files })
    }

    /// Whether no file of this chain is signed by whoever should.
    pub fn has_no_honest_file(&self) -> bool {
        self.files
            .iter()
            .all(|file| file.has(Section::FORGED) && !file.has(Section::RAW) || file.has(Section::ABSENT))
    }

    /// The same chain without any file.
    pub fn without_files(&self) -> Self {
        Self {
            layout: self.layout,
            files: Vec::new(),
        }
    }

    /// Whether the owner signed.
    pub fn is_owned(&self) -> bool {
        !self.layout.has(Section::FORGED) && !self.layout.has(Section::RAW)
    }

    /// Verifies it. `order` may rearrange what is supplied.
    pub fn verify(&self, mut order: impl FnMut(&mut Vec<Admitted>)) -> Verdict {
        let owner = people::owner();
        let id = owner.public_key().key_id(KeyIdStyle::Legacy);
        let policy = Policy::new(vec![owner.public_key().clone()], Timestamp::from_unix(1_795_305_600));
        let mut progress = Session::begin(&self.layout.seal(owner, id.as_str()), policy);
        let mut next = 0;
        loop {
            progress = match progress {
                Progress::Evidence(gathering) => {
                    let wanted = gathering.request().files();
                    let mut admitted: Vec<Admitted> = wanted
                        .iter()
                        .enumerate()
                        .filter_map(|(index, file)| self.admit(next + index, file))
                        .collect();
                    next += wanted.len();
                    order(&mut admitted);
                    gathering.supply(admitted).expect("each is answered once")
                }
                Progress::Inspections(inspecting) => {
                    let answers: Vec<_> = inspecting
                        .requests()
                        .iter()
                        .map(|request| request.done(0, Default::default(), Default::default()))
                        .collect();
                    return inspecting.supply(answers).expect("each is answered once");
                }
                Progress::Decided(verdict) => return verdict,
            };
        }
    }

    fn admit(&self, index: usize, file: &EvidenceFile) -> Option<Admitted> {
        let section = self.files.get(index).filter(|section| !section.has(Section::ABSENT))?;
        let id = file.key_ids().next()?.as_str();
        let secret = people::functionary(id).unwrap_or(people::stranger());
        Some(file.admit(&section.seal(secret, id)))
    }
}
