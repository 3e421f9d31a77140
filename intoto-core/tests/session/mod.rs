//! What a session says of itself while it waits, and which answers it does not take.

use intoto_core::verdict::Outcome;
use intoto_core::verify::{Admitted, EvidenceFile, Extent, SupplyError};

use super::*;

fn case(name: &str) -> Case {
    let found = Case::all().into_iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("there is no vector {name}"))
}

fn begin(case: &Case) -> Progress {
    Session::begin(&case.files[Utf8Path::new(LAYOUT)], case.policy())
}

/// The request of that round, if there is one.
fn gathering(case: &Case, round: usize) -> Option<Gathering> {
    let mut progress = begin(case);
    for _ in 0..round {
        let Progress::Evidence(gathering) = progress else {
            return None;
        };
        let files = case.admit(&gathering);
        progress = gathering.supply(files).unwrap();
    }
    match progress {
        Progress::Evidence(gathering) => Some(gathering),
        _ => None,
    }
}

fn inspecting(case: &Case) -> Inspecting {
    let mut progress = begin(case);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let files = case.admit(&gathering);
                gathering.supply(files).unwrap()
            }
            Progress::Inspections(inspecting) => return inspecting,
            Progress::Decided(verdict) => panic!("decided: {verdict:?}"),
        };
    }
}

fn place(file: &EvidenceFile) -> (Vec<String>, String) {
    (file.directory().to_vec(), file.name().to_owned())
}

/// Every file of every request, supplied to every other request: it is taken where the same place in the list asks for the same file.
#[test]
fn a_file_answers_the_request_that_named_it() {
    let cases = [
        "verified--chain",
        "verified--openpgp",
        "verified--sublayout",
        "verified--sublayout-in-sublayout",
        "verified--two-sublayouts",
    ]
    .map(case);
    let requests: Vec<(&Case, usize)> = cases
        .iter()
        .flat_map(|case| {
            (0..4)
                .filter(|round| gathering(case, *round).is_some())
                .map(move |round| (case, round))
        })
        .collect();
    assert!(requests.len() > cases.len() + 2);
    let mut taken = 0;
    for (from, round) in &requests {
        let given = gathering(from, *round).unwrap();
        for (to, other) in &requests {
            for (index, file) in given.request().files().iter().enumerate() {
                let wanted = gathering(to, *other).unwrap();
                let expected = wanted.request().files().get(index).map(place) == Some(place(file));
                let answer = wanted.supply([file.admit(b"{}")]);
                let name = file.name().to_owned();
                assert_eq!(answer.err(), (!expected).then_some(SupplyError::Foreign { name }));
                taken += usize::from(expected);
            }
        }
    }
    assert!(taken > requests.len());
}

#[test]
fn a_file_is_supplied_once() {
    let case = case("verified--chain");
    let gathering = gathering(&case, 0).unwrap();
    let file = gathering.request().files()[0].admit(b"{}");
    let error = gathering.supply([file.clone(), file]).unwrap_err();
    assert_eq!(error.to_string(), "`write.46724ece.link` was supplied twice");
}

#[test]
fn requests_say_what_they_are_for() {
    let case = case("verified--sublayout");
    let first = gathering(&case, 0).unwrap();
    let [write, ..] = first.request().files() else {
        panic!("no files")
    };
    assert_eq!(
        (write.directory().len(), write.name(), write.step().as_str()),
        (0, "write.46724ece.link", "write")
    );
    assert_eq!(
        write.key_ids().map(|id| id.short().to_owned()).collect::<Vec<_>>(),
        ["46724ece"]
    );
    let second = gathering(&case, 1).unwrap();
    assert!(
        second
            .request()
            .files()
            .iter()
            .all(|file| file.directory() == ["write.46724ece"])
    );
    assert_eq!(second.request().searches().len(), 0);
}

#[test]
fn usable_is_what_a_key_of_the_step_signed_for_it() {
    let file = |of: &str| -> Admitted {
        let base = case("verified--chain");
        let gathering = gathering(&base, 0).unwrap();
        let wanted = &gathering.request().files()[0];
        wanted.admit(&case(of).files[Utf8Path::new(wanted.name())])
    };
    assert!(file("verified--chain").is_usable());
    for other in [
        "signature-invalid--link-edited",
        "key-not-authorised-for-step--stranger",
        "link-name-mismatch--statement",
        "metadata-invalid--digest-length",
        "float-in-metablock--exponent",
    ] {
        assert!(!file(other).is_usable(), "{other}");
    }
    let base = case("verified--chain");
    let gathering = gathering(&base, 0).unwrap();
    assert!(
        !gathering.request().files()[0]
            .unreadable("permission denied")
            .is_usable()
    );
}

#[test]
fn a_search_takes_links_of_its_step() {
    let case = case("verified--certificate-and-key");
    let gathering = gathering(&case, 0).unwrap();
    let [search] = gathering.request().searches() else {
        panic!("one step counts certificates")
    };
    assert_eq!(
        (search.directory().len(), search.step().as_str(), search.limit()),
        (0, "write", 512)
    );
    let file = search.file("write.0123abef.link").unwrap();
    assert_eq!(
        (file.directory().len(), file.name(), file.step().as_str()),
        (0, "write.0123abef.link", "write")
    );
    assert_eq!(file.key_ids().count(), 0);
    let [named, ..] = gathering.request().files() else {
        panic!("a key is named")
    };
    for other in [
        named.name(),
        "write.0123abe.link",
        "write.0123abeff.link",
        "write.0123abeg.link",
        "write.0123ABEF.link",
        "write.0123abef.json",
        "write-0123abef.link",
        "write0123abef.link",
        "package.0123abef.link",
        "write.link",
    ] {
        assert!(search.file(other).is_none(), "{other}");
    }
    let admitted = file.admit(b"{}");
    let unreadable = search.unreadable("permission denied");
    let error = gathering.supply([admitted.clone(), admitted]).unwrap_err();
    assert_eq!(error.to_string(), "`write.0123abef.link` was supplied twice");
    let Progress::Decided(verdict) = self::gathering(&case, 0).unwrap().supply([unreadable]).unwrap() else {
        panic!("nothing is left to ask for")
    };
    assert_eq!(verdict.outcome(), Outcome::Undecided);
    assert!(
        verdict
            .findings()
            .iter()
            .any(|finding| finding.code == FindingCode::LinkUnreadable)
    );
}

#[test]
fn inspections_are_asked_for_sublayouts_first() {
    let case = case("verified--sublayout-inspection");
    let inspecting = inspecting(&case);
    let [below, own] = inspecting.requests() else {
        panic!("two inspections")
    };
    assert!(own.is_owner_signed() && own.layer().is_empty());
    assert!(!below.is_owner_signed());
    assert_eq!(below.layer(), ["write.46724ece"]);
    assert_eq!(own.name().as_str(), "artifact");
    assert_eq!(own.run(), ["true"]);
}

#[test]
fn an_inspection_is_answered_once_and_by_its_own_answer() {
    let (one, two) = (case("verified--chain"), case("verified--sublayout-inspection"));
    let answer = |case: &Case, index: usize| inspecting(case).requests()[index].not_run("not here");
    let error = inspecting(&one).supply([answer(&one, 0), answer(&one, 0)]).unwrap_err();
    assert_eq!(error.to_string(), "`artifact` was supplied twice");
    // The same name at another place, and another layer at the same place.
    for (to, foreign) in [
        (&one, answer(&two, 1)),
        (&one, answer(&two, 0)),
        (&two, answer(&one, 0)),
    ] {
        assert!(matches!(
            inspecting(to).supply([foreign]),
            Err(SupplyError::Foreign { .. })
        ));
    }
    let verdict = inspecting(&one).supply([]).unwrap();
    assert_eq!(verdict.outcome(), Outcome::Undecided);
    assert!(
        verdict
            .findings()
            .iter()
            .any(|finding| finding.code == FindingCode::InspectionNotRun)
    );
}

/// Exactly what is allowed is still taken: the least limit with which a vector verifies is what it has.
#[test]
fn a_limit_is_the_last_that_is_taken() {
    let chain = case("verified--chain").files;
    let links = chain.iter().filter(|(path, _)| path.extension() == Some("link"));
    let bytes = links.map(|(_, bytes)| bytes.len()).sum();
    let cases = [
        ("verified--chain", "total_links", 2),
        ("verified--chain", "total_artifacts", 5),
        ("verified--chain", "total_values", 17),
        ("verified--chain", "total_bytes", bytes),
        ("verified--chain", "total_inspections", 1),
        ("verified--chain", "artifacts", 2),
        ("verified--chain", "signatures", 1),
        ("verified--chain", "steps", 2),
        ("verified--sublayout", "total_values", 52),
        ("verified--certificate", "found_links", 1),
        ("verified--certificate", "total_artifacts", 5),
        ("verified--certificate", "total_values", 17),
        ("verified--certificate", "total_links", 2),
        ("verified--certificates-of-two", "found_links", 2),
    ];
    for (name, limit, expected) in cases {
        let mut case = case(name);
        let mut verified = Vec::new();
        let around = expected.saturating_sub(12)..expected + 12;
        for value in around.clone() {
            case.expect["limits"] = serde_json::json!({ limit: value });
            if case.verify(|_| {}).outcome() == Outcome::Verified {
                verified.push(value);
            }
        }
        assert_eq!(
            verified,
            (expected..around.end).collect::<Vec<_>>(),
            "{limit} of {name}"
        );
    }
}

/// A caller need not read what the session would not take, and is told so no sooner.
#[test]
fn a_request_says_what_there_is_room_for() {
    for (limit, step) in [("total_artifacts", 1), ("total_values", 5), ("total_bytes", 101)] {
        let mut case = case("verified--sublayout");
        let mut rounds = 0;
        for value in (0..).step_by(step) {
            case.expect["limits"] = serde_json::json!({ limit: value });
            let mut progress = begin(&case);
            let mut had_room = true;
            rounds = 0;
            while let Progress::Evidence(gathering) = progress {
                let files = case.admit(&gathering);
                let extents = files.iter().map(Admitted::extent);
                had_room &= gathering
                    .request()
                    .has_room_for(extents.fold(Extent::default(), Extent::plus));
                progress = gathering.supply(files).unwrap();
                rounds += 1;
            }
            let goes_on = matches!(progress, Progress::Inspections(_));
            assert_eq!(had_room, goes_on, "{value} of {limit}");
            if goes_on {
                break;
            }
        }
        assert_eq!(rounds, 2, "{limit}");
    }
}

/// What says nothing for anybody is not kept, and takes no room from others.
#[test]
fn what_does_not_count_is_not_counted() {
    let case = case("json-invalid--extra");
    let gathering = gathering(&case, 0).unwrap();
    for file in case.admit(&gathering) {
        assert_eq!(file.extent() != Extent::default(), file.is_usable(), "{file:?}");
    }
}

/// The layer that wants more than there is room for is named, whether it asks for files by name or searches for them.
#[test]
fn the_layer_beyond_the_limit_is_named() {
    for (name, limit) in [
        ("verified--chain", 0),
        ("verified--sublayout", 3),
        #[cfg(feature = "x509")]
        ("verified--certificate-sublayout", 3),
    ] {
        let mut case = case(name);
        case.expect["limits"] = serde_json::json!({ "total_artifacts": limit });
        let verdict = case.verify(|_| {});
        let found = verdict
            .findings()
            .iter()
            .find(|finding| finding.code == FindingCode::LimitExceeded);
        let found = found.unwrap_or_else(|| panic!("{name}: {:?}", verdict.findings()));
        assert_eq!(found.location.layer.is_empty(), name == "verified--chain", "{found:?}");
        assert_eq!(
            found.message,
            format!("the verification needs more than {limit} artifacts")
        );
    }
}

#[cfg(feature = "x509")]
#[test]
fn intermediates_are_counted() {
    let case = case("verified--certificate");
    let layout: Value = serde_json::from_slice(&case.files[Utf8Path::new(LAYOUT)]).unwrap();
    let payload = intoto_core::encoding::base64::decode(layout["payload"].as_str().unwrap()).unwrap();
    let layout: Value = serde_json::from_slice(&payload).unwrap();
    let root = layout["rootcas"].as_object().unwrap().values().next().unwrap();
    let root = intoto_core::x509::Certificate::from_pem(root["keyval"]["certificate"].as_str().unwrap()).unwrap();
    for (count, is_decided) in [(1, false), (2, false), (3, true)] {
        let mut policy = case.policy();
        policy.limits.certificate_authorities = 2;
        policy.intermediates = vec![root.clone(); count];
        let progress = Session::begin(&case.files[Utf8Path::new(LAYOUT)], policy);
        assert_eq!(matches!(progress, Progress::Decided(_)), is_decided, "{count}");
    }
}

/// A directory that cannot be listed is told by what was looked for in it.
#[cfg(feature = "x509")]
#[test]
fn an_unreadable_directory_is_told() {
    let case = case("verified--certificate");
    let gathering = gathering(&case, 0).unwrap();
    let files = gathering.request().files().iter();
    let files = files.filter_map(|file| Some(file.admit(case.files.get(Utf8Path::new(file.name()))?)));
    let searches = gathering.request().searches().iter();
    let mut files: Vec<Admitted> = files.collect();
    files.extend(searches.map(|search| search.unreadable("permission denied")));
    let Progress::Decided(verdict) = gathering.supply(files).unwrap() else {
        panic!("there is no link of the first step");
    };
    assert_eq!(verdict.outcome(), Outcome::Undecided);
    let told = |finding: &Finding| {
        finding.location.file.as_deref() == Some("write.*.link") && finding.message.contains("permission denied")
    };
    assert!(verdict.findings().iter().any(told), "{:?}", verdict.findings());
}
