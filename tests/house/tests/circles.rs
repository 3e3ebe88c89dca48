//! The parts of the media core depend on each other in one direction: there is no circle among its modules.

use std::collections::{BTreeMap, BTreeSet};

use house::sources;

/// Each module of the core, with the modules that its code names.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let core = sources("sfu-node/core/src", &["rs"]);
    for source in core.iter().filter(|source| !source.is_test()) {
        let path = source.path.trim_start_matches("sfu-node/core/src/");
        let own = path.split(['/', '.']).next().unwrap_or_default();
        if own == "lib" {
            continue;
        }
        let named = modules.entry(own.to_owned()).or_default();
        for (_, line) in source.code() {
            for rest in line.split("crate::").skip(1) {
                let name = rest
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next();
                named.extend(name.filter(|name| *name != own).map(str::to_owned));
            }
        }
    }
    modules
}

#[test]
fn the_modules_of_the_media_core_form_no_circle() {
    let mut left = modules();
    assert!(left.len() > 10, "the core's modules are found");
    loop {
        let known: BTreeSet<String> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, named| named.intersection(&known).next().is_some());
        if left.len() == before {
            break;
        }
    }
    assert!(
        left.is_empty(),
        "these modules of sfu-node/core need each other in a circle: {left:#?}\nmove what two of them share into a module \
         below both, or let their parent join them."
    );
}
