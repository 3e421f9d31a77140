//! The command lines that are compared. `$KEYS` holds throw-away keys, `$PEMS` those of the reference implementation's tests.

/// Lines of a shell, run in one directory after each other.
pub(super) struct Case {
    pub(super) lines: &'static [&'static str],
    /// Why the outcome is another one here; docs/drop-in.md says the same to users.
    pub(super) differs: Option<&'static str>,
}

const fn same(lines: &'static [&'static str]) -> Case {
    Case { lines, differs: None }
}

const fn differs(reason: &'static str, lines: &'static [&'static str]) -> Case {
    Case {
        lines,
        differs: Some(reason),
    }
}

/// Writes a layout without steps to `l`, after an edit by sed: an inspection makes a file, and demands it.
macro_rules! layout {
    ($edit:literal) => {
        concat!(
            "sed '",
            $edit,
            "' >l <<'END'\n",
            r#"{"signatures":[],"signed":{"_type":"layout","expires":"2036-01-01T00:00:00Z","inspect":[{"_type":"inspection","#,
            r#""expected_materials":[["ALLOW","*"]],"expected_products":[["REQUIRE","made"],["ALLOW","*"]],"name":"look","#,
            r#""run":["touch","made"]}],"keys":{},"readme":"","steps":[]}}"#,
            "\nEND"
        )
    };
}

/// Every case. ed25519 signs the same bytes alike, so whole files are compared.
pub(super) const CASES: &[Case] = &[
    // The in-toto demo, as its authors and its consumer type it, in both containers.
    same(&[
        "in-toto-record start --step-name update-version --signing-key $KEYS/bob --materials demo-project/foo.py",
        "sed -i s/foo-v0/foo-v1/ demo-project/foo.py",
        "in-toto-record stop --step-name update-version --signing-key $KEYS/bob --products demo-project/foo.py",
        "in-toto-run --step-name package --signing-key $KEYS/alice --materials demo-project/foo.py --products demo-project.tar.gz -- tar --exclude .git --mtime=2020-01-01 --sort=name -cf demo-project.tar.gz demo-project",
    ]),
    same(&[
        "in-toto-record start --use-dsse --step-name update-version --signing-key $KEYS/bob --materials demo-project/foo.py",
        "sed -i s/foo-v0/foo-v1/ demo-project/foo.py",
        "in-toto-record stop --use-dsse --step-name update-version --signing-key $KEYS/bob --products demo-project/foo.py",
        "in-toto-run --use-dsse -n package --signing-key $KEYS/alice -m demo-project/foo.py -p demo-project.tar.gz -- tar --exclude .git --mtime=2020-01-01 --sort=name -cf demo-project.tar.gz demo-project",
    ]),
    // What is recorded.
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m . -p . -- touch made"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a/f file:a/f dir:a dir:a/b/ -p ./a//b/../f repo/to-a -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m ostree:os/main --base-path repo -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m ostree:os/none --base-path repo -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m f b --base-path a -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --base-path missing -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --base-path missing -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m dir:missing -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m missing '' '*' -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --lstrip-paths a/b/ a/f -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --lstrip-paths a/ a/b -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a/f a/l --lstrip-paths a/f -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a/f a/f --lstrip-paths a/ -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --exclude '*.pyc' 'b/' '!b/g' -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --exclude '[b-a]' -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --exclude 'a\\' -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a --exclude '' -x"]),
    same(&[
        "printf z >'c\\d'",
        "in-toto-run -n s --signing-key $KEYS/bob -m 'c\\d' -x",
    ]),
    same(&["in-toto-run -n 'ü b' --signing-key $KEYS/bob -m ../work/a/f -x"]),
    // The command and its streams.
    same(&["in-toto-run -n s --signing-key $KEYS/bob -s -- sh -c \"printf 'a\\nü'; echo b >&2; exit 3\""]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -- sh -c 'echo unseen; kill -9 $$'"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -s -- printf '\\377' >/dev/null"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --run-timeout 1 -- sleep 30"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --run-timeout -5 -- sleep 3"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -- no-such-program"]),
    same(&["SECRET_ID_TOKEN=x in-toto-run -n s --signing-key $KEYS/bob -s -- sh -c 'echo $SECRET_ID_TOKEN'"]),
    same(&[
        "mkdir links",
        "in-toto-run -n s --signing-key $KEYS/bob -d links -x",
        "in-toto-run -n s --signing-key $KEYS/bob -d missing -x",
    ]),
    // How argparse takes command lines.
    same(&["in-toto-run --step s --sign $KEYS/bob --mat=a/f a/b/g --no-c"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -ma/f -pa/b/g -xs"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -m a/f -m a/b/g -x -x -n t"]),
    same(&["in-toto-run echo a b -n s --signing-key $KEYS/bob -s"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob echo -- b"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob echo -s -- b"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -s -- sh -c -- 'exit 4'"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --exclude -1 -m a/f -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --m a/f -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -x -v -q"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob -x --ver"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --run-timeout soon -x"]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob >/dev/null"]),
    same(&[
        "in-toto-run -n s -x >/dev/null",
        "in-toto-run -n s --signing-key '' -x >/dev/null",
        "in-toto-run -n s --signing-key $KEYS/bob --gpg -x >/dev/null",
    ]),
    same(&["in-toto-run -n s --signing-key $KEYS/bob --gpg '' -x"]),
    // Keys.
    same(&[
        "in-toto-run -n s --signing-key $KEYS/bob -P needless -x",
        "in-toto-run -n s --signing-key $KEYS/bob -P '' -x",
    ]),
    same(&["in-toto-run -n s --signing-key $PEMS/ed25519_private_encrypted.pem -P hunter2 -x"]),
    same(&["in-toto-run -n s --signing-key $PEMS/ed25519_private_encrypted.pem -P hunter3 -x"]),
    same(&["in-toto-run -n s --signing-key $PEMS/ed25519_private_encrypted.pem -x"]),
    same(&[
        "in-toto-run -n s --signing-key $PEMS/ed25519_public.pem -x",
        "in-toto-run -n s --signing-key missing -x",
    ]),
    // Records.
    same(&["in-toto-record start -n s --signing-key $KEYS/bob -m a"]),
    same(&[
        "in-toto-record start -n s --signing-key $KEYS/bob",
        "in-toto-record stop -n s --signing-key $KEYS/carl",
        "in-toto-record stop -n t --signing-key $KEYS/bob",
    ]),
    same(&[
        "in-toto-record start -n s --signing-key $KEYS/bob -m a",
        "in-toto-record stop -n s --signing-key $KEYS/bob -p a --exclude '*.pyc' --lstrip-paths a/",
    ]),
    same(&[
        "in-toto-record start -n s --signing-key $KEYS/bob --use-dsse",
        "in-toto-record stop -n s --signing-key $KEYS/bob -d missing",
        "in-toto-record stop -n s --signing-key $KEYS/bob -d a",
    ]),
    same(&[
        "in-toto-record start -n s --signing-key $KEYS/bob -m a",
        "sed -i s/a.f/a.g/ .s.*.link-unfinished",
        "in-toto-record stop -n s --signing-key $KEYS/bob",
    ]),
    same(&[
        "in-toto-record",
        "in-toto-record -n s start",
        "in-toto-record sta -n s",
        "in-toto-record start --version",
        "in-toto-record start -n s >/dev/null",
    ]),
    // GnuPG's signatures hold the time, so the files are named and removed.
    same(&[
        "in-toto-run -n s --gpg --gpg-home $GPG -m a -- true; code=$?; ls *.link && rm *.link; exit $code",
        "in-toto-run -n s --gpg $GPG_ID --gpg-home $GPG -x; code=$?; ls *.link && rm *.link; exit $code",
        "in-toto-run -n s --gpg ABCDEF0123456789 --gpg-home $GPG -x",
        "in-toto-run -n s --gpg --gpg-home $GPG --use-dsse -x",
        "in-toto-record stop -n s --gpg --gpg-home $GPG",
    ]),
    same(&[
        "in-toto-record start -n s --gpg --gpg-home $GPG -m a && ls .s.*",
        "in-toto-record stop -n s --gpg $GPG_ID --gpg-home $GPG && ls -A *.link .s.*; rm *.link",
        "$OURS/in-toto-record start -n s --gpg $GPG_ID --gpg-home $GPG && in-toto-record stop -n s --gpg $GPG_ID --gpg-home $GPG && rm *.link",
        "$THEIRS/in-toto-record start -n s --gpg $GPG_ID --gpg-home $GPG && in-toto-record stop -n s --gpg $GPG_ID --gpg-home $GPG && rm *.link",
    ]),
    // RSA and ECDSA signatures are random, so only their making is compared.
    same(&[
        "for key in rsa ecdsa; do in-toto-run -n s --signing-key $PEMS/${key}_private_unencrypted.pem -m a -x && ls *.link; done; rm *.link",
        "for key in rsa ecdsa; do for form in '' --use-dsse; do $OURS/in-toto-record start $form -n s --signing-key $PEMS/${key}_private_unencrypted.pem && in-toto-record stop -n s --signing-key $PEMS/${key}_private_unencrypted.pem || exit 9; done; done; ls *.link; rm *.link",
    ]),
    // Keys as OpenSSL encrypted them before PKCS#8, and later with triple DES: the right passphrase, a wrong one, none.
    same(&[
        "for cipher in des3 aes128 aes256; do openssl rsa -in $PEMS/rsa_private_unencrypted.pem -traditional -$cipher -passout pass:x -out ../old.pem && for words in '-P x' '-P y' ''; do in-toto-run -n s --signing-key ../old.pem $words -x; echo $?; done; done; ls *.link; rm *.link ../old.pem",
    ]),
    same(&[
        "for digest in SHA1 SHA256; do openssl pkcs8 -topk8 -in $PEMS/rsa_private_unencrypted.pem -v2 des3 -v2prf hmacWith$digest -passout pass:x -out ../old.pem && in-toto-run -n s --signing-key ../old.pem -P x -x; echo $?; done; ls *.link; rm *.link ../old.pem",
    ]),
    differs(
        "single DES keeps nobody out",
        &["in-toto-run -n s --signing-key $PEMS/rsa_private_encrypted.pem -P hunter2 -x; echo $?; rm -f *.link"],
    ),
    // Mocks and comparisons.
    same(&["in-toto-mock -n s -- sh -c 'echo hi; echo err >&2; exit 3'"]),
    same(&["in-toto-mock --use-dsse --name s touch made"]),
    same(&[
        "in-toto-mock -n s -- no-such-program",
        "in-toto-mock -n s",
        "in-toto-mock -- true",
        "in-toto-mock -n s -v -- true",
    ]),
    same(&[
        "in-toto-run -n s --signing-key $KEYS/bob -p a -x",
        "in-toto-match-products -l s.*.link -p a",
        "in-toto-match-products -l s.*.link -p a/f -v >out; code=$?; sort out; rm out; exit $code",
        "echo >> a/f",
        "in-toto-match-products -l s.*.link -p a -v >out; code=$?; sort out; rm out; exit $code",
        "in-toto-match-products -l s.*.link -p a -e f -v >out; code=$?; sort out; rm out; exit $code",
        "in-toto-match-products -l s.*.link",
    ]),
    same(&[
        "in-toto-match-products -l missing -p a",
        "in-toto-match-products",
        "in-toto-match-products -l a/f",
    ]),
    // Signatures.
    same(&[
        layout!(""),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-sign -f l -k $KEYS/bob.pub --verify",
        "in-toto-sign -f l -k $KEYS/alice.pub --verify",
        "in-toto-sign -f l -k $KEYS/alice -a -o m",
        "in-toto-sign -f m -k $KEYS/alice.pub $KEYS/bob.pub --verify",
        "in-toto-sign -f m -k $KEYS/alice $KEYS/bob -o n",
        "in-toto-verify -l n --verification-keys $KEYS/bob.pub $KEYS/alice.pub",
    ]),
    same(&[
        "in-toto-mock -n s -- true",
        "in-toto-sign -f s.link -k $KEYS/bob",
        "in-toto-sign -f s.link -k $KEYS/bob -o t",
        "in-toto-sign -f t -k $KEYS/bob.pub --verify",
        "in-toto-sign -f t -k $KEYS/bob $KEYS/alice >/dev/null",
        "in-toto-sign -f t -k $KEYS/bob -a >/dev/null",
        "in-toto-mock --use-dsse -n d -- true",
        "in-toto-sign -f d.link -k $KEYS/alice",
    ]),
    same(&[
        layout!(""),
        "in-toto-sign -f missing -k $KEYS/bob",
        "in-toto-sign -f a/f -k $KEYS/bob",
        "in-toto-sign -f l -k missing",
        "in-toto-sign -f l -k $KEYS/bob.pub",
        "in-toto-sign -f l >/dev/null",
        "in-toto-sign -f l -k $KEYS/bob -g >/dev/null",
        "in-toto-sign -f l -k $KEYS/bob --verify -a >/dev/null",
        "in-toto-sign -f l -k $KEYS/bob --verify -o x >/dev/null",
        "in-toto-sign -f l -g --verify >/dev/null",
        "in-toto-sign -k $KEYS/bob",
    ]),
    // GnuPG's signatures hold the time, so what they are in is removed.
    same(&[
        layout!(""),
        "in-toto-sign -f l -g $GPG_ID --gpg-home $GPG -o m; in-toto-sign -f m -g $GPG_ID --gpg-home $GPG --verify; code=$?; rm m; exit $code",
        "in-toto-sign -f l -g $GPG_ID --gpg-home $GPG --verify",
    ]),
    // Verification, with inspections that leave their links.
    same(&[
        layout!(""),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verif $KEYS/bob.pub",
        "in-toto-verify --layout=l --verification-keys $KEYS/bob.pub --inspection-timeout 5 -v 2>/dev/null",
        "in-toto-verify -l l --verification-keys $KEYS/alice.pub",
        "in-toto-verify -l l --verification-keys missing",
        "in-toto-verify -l missing --verification-keys $KEYS/bob.pub",
        "in-toto-verify -l l >/dev/null",
        "in-toto-verify --verification-keys $KEYS/bob.pub",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub --inspection-timeout soon",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub -v -q",
    ]),
    same(&[
        layout!("s/touch.,.made/false/"),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub",
    ]),
    same(&[
        layout!("s/touch.,.made/sleep\",\"30/"),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub --inspection-timeout 1",
    ]),
    same(&[
        layout!("s/touch.,.made/no-such-program/"),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub",
    ]),
    same(&[
        layout!("s/REQUIRE/DISALLOW/"),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub",
    ]),
    same(&[
        layout!("s/2036/2020/"),
        "in-toto-sign -f l -k $KEYS/bob",
        "in-toto-verify -l l --verification-keys $KEYS/bob.pub",
    ]),
    // What is other here.
    differs(
        "a link directory that is missing is none",
        &[
            layout!(""),
            "in-toto-sign -f l -k $KEYS/bob",
            "in-toto-verify -l l --verification-keys $KEYS/bob.pub --link-dir missing",
        ],
    ),
    differs(
        "what is not known is neither signed nor dropped",
        &[layout!("s/.readme.:/\"note\":1,&/"), "in-toto-sign -f l -k $KEYS/bob"],
    ),
    differs(
        "a step's name becomes part of a file's name, and must not lead elsewhere",
        &["in-toto-run -n a/b --signing-key $KEYS/bob -x"],
    ),
    differs("a step needs a name", &["in-toto-run -n '' --signing-key $KEYS/bob -x"]),
    differs(
        "two different files under one name are refused",
        &[
            "printf z >'c\\d'",
            "mkdir c",
            "echo other > c/d",
            "in-toto-run -n s --signing-key $KEYS/bob -m 'c\\d' c/d -x",
        ],
    ),
    differs(
        "a name with a backslash is no other name where files are compared",
        &[
            "printf z >'c\\d'",
            "in-toto-run -n s --signing-key $KEYS/bob -p a 'c\\d' -x",
            "in-toto-match-products -l s.*.link -p a 'c\\d'",
        ],
    ),
    differs(
        "links in DSSE envelopes are read",
        &[
            "in-toto-run -n s --use-dsse --signing-key $KEYS/bob -p a -x",
            "in-toto-match-products -l s.*.link -p a",
        ],
    ),
    differs(
        "the link that stop finishes must be that of its step",
        &[
            "in-toto-record start -n s --signing-key $KEYS/bob",
            "mv .s.*.link-unfinished $(ls .s.*.link-unfinished | sed s/s/t/)",
            "in-toto-record stop -n t --signing-key $KEYS/bob",
        ],
    ),
    differs("both names and versions are said", &["in-toto-run --version"]),
    differs("help is laid out otherwise", &["in-toto-run --help"]),
];
