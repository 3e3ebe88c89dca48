//! Which package may depend on which: the arrows between rooms.

use house::{Package, expect_none, packages};

/// The whole of what a package may depend on.
const ONLY: [(&str, &[&str]); 3] = [
    // schemars is optional, for the test that makes the OpenAPI document (docs/decisions/0034-openapi-from-the-code.md).
    ("protocol", &["schemars", "serde"]),
    (
        "edge-core",
        // `url` reads addresses as browsers and workerd do. The last three are the tables of Unicode (docs/decisions/0016-one-form-for-the-same-text.md).
        &[
            "protocol",
            "serde",
            "serde_json",
            "thiserror",
            "url",
            "idna",
            "idna_adapter",
            "unicode-normalization",
        ],
    ),
    (
        "sfu-core",
        // The cipher and the WebRTC library have one file each that names them: see imports.rs.
        &[
            "protocol",
            "aws-lc-rs",
            "bytes",
            // The handshake of the WebRTC library, which takes its time from it: to make its configuration once.
            "dimpl",
            "serde_json",
            // A table of slots and nothing else: no I/O, no clock.
            "slotmap",
            "str0m",
            "thiserror",
            "tracing",
        ],
    ),
];

/// Packages of the workspace that a package may depend on.
const INSIDE: [(&str, &[&str]); 9] = [
    ("edge", &["edge-core", "hasher", "protocol"]),
    ("edge-glue", &[]),
    ("hasher", &[]),
    ("sfu-node", &["sfu-core", "protocol"]),
    ("fuzz", &["edge-core", "sfu-core", "protocol"]),
    ("simulation", &["edge-core", "sfu-core", "protocol"]),
    ("loadtest", &["protocol"]),
    ("house", &[]),
    ("xtask", &[]),
];

fn outside<'a>(package: &'a Package, allowed: &'a [&str]) -> impl Iterator<Item = &'a String> {
    package
        .dependencies
        .iter()
        .filter(move |name| !allowed.contains(&name.as_str()))
}

#[test]
fn the_pure_packages_depend_on_nothing_but_the_allowed() {
    let packages = packages();
    let mut found = Vec::new();
    for (name, allowed) in ONLY {
        let package = packages
            .iter()
            .find(|package| package.name == name)
            .expect(name);
        found.extend(outside(package, allowed).map(|other| format!("{name} depends on {other}")));
    }
    expect_none(
        &found,
        "protocol is wire types only, and a core takes time, randomness and I/O from its shell: move the code there. If the \
         new dependency is pure arithmetic, add it to ONLY in this file and say why in the commit.",
    );
}

#[test]
fn no_package_reaches_into_a_room_that_is_not_its_own() {
    let packages = packages();
    let inside = |name: &String| packages.iter().any(|package| package.name == *name);
    let mut found = Vec::new();
    for package in packages
        .iter()
        .filter(|package| ONLY.iter().all(|(name, _)| package.name != *name))
    {
        let Some((_, allowed)) = INSIDE.iter().find(|(name, _)| package.name == *name) else {
            found.push(format!("{} has no rule", package.name));
            continue;
        };
        let tests = package
            .test_dependencies
            .iter()
            .filter(|name| !allowed.contains(&name.as_str()));
        let wrong = outside(package, allowed)
            .chain(tests)
            .filter(|name| inside(name));
        found.extend(wrong.map(|other| format!("{} depends on {other}", package.name)));
    }
    expect_none(
        &found,
        "shells depend on their own core, tests on the cores, the load test on the protocol alone. A new package gets its \
         line in INSIDE in this file.",
    );
}
