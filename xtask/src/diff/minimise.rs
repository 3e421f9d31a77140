//! Takes from a case whatever can be taken without changing how it is judged.

use serde_json::Value;

use super::case::{Case, Document};

/// The smallest case found for which `still` holds, within a number of tries.
pub(super) fn minimise(mut case: Case, mut still: impl FnMut(&Case) -> bool) -> Case {
    let mut tries = 400;
    loop {
        let mut progress = false;
        for smaller in smaller(&case) {
            if tries == 0 {
                return case;
            }
            tries -= 1;
            if still(&smaller) {
                case = smaller;
                progress = true;
                break;
            }
        }
        if !progress {
            return case;
        }
    }
}

/// Every case with one thing less.
fn smaller(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        found.push(smaller);
    };
    for path in case.links.keys() {
        with(&|case| drop(case.links.remove(path)));
    }
    for name in case.in_hand.keys() {
        with(&|case| drop(case.in_hand.remove(name)));
    }
    if case.owners.len() > 1 {
        with(&|case| {
            case.owners.truncate(1);
            case.layout.signers.truncate(1);
        });
    }
    for pointer in removable(&case.layout) {
        with(&|case| remove(&mut case.layout.payload, &pointer));
    }
    for (path, link) in &case.links {
        for pointer in removable(link) {
            with(&|case| {
                if let Some(link) = case.links.get_mut(path) {
                    remove(&mut link.payload, &pointer);
                }
            });
        }
    }
    found
}

/// Where a payload has things that can be taken out: elements of lists, large ones first, and artifacts.
fn removable(document: &Document) -> Vec<String> {
    let mut pointers = Vec::new();
    let payload = &document.payload;
    let mut elements = |list: String| {
        let count = payload.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
        pointers.extend((0..count).rev().map(|index| format!("{list}/{index}")));
        count
    };
    for items in ["/inspect", "/steps"] {
        let count = elements(items.to_owned());
        for index in 0..count {
            for list in ["expected_materials", "expected_products"] {
                elements(format!("{items}/{index}/{list}"));
            }
        }
    }
    for list in ["materials", "products"] {
        let names = payload.get(list).and_then(Value::as_object).into_iter().flatten();
        pointers.extend(names.map(|(name, _)| format!("/{list}/{}", name.replace('~', "~0").replace('/', "~1"))));
    }
    pointers
}

fn remove(payload: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    match payload.pointer_mut(parent) {
        Some(Value::Array(elements)) => {
            if let Ok(index) = name.parse::<usize>() {
                elements.remove(index);
            }
        }
        Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        _ => {}
    }
}
