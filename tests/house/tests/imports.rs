//! Which file may name what: the arrows within rooms.

use house::{Source, expect_none, sources};

/// `file:line: text` of each line of code outside tests that `is_wrong`.
fn lines(sources: &[Source], is_wrong: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code().filter(|(_, line)| is_wrong(source, line)) {
            found.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    found
}

#[test]
fn the_cores_have_no_clock_no_randomness_and_no_io() {
    const IMPURE: [&str; 10] = [
        "SystemTime",
        "Instant::now",
        "UdpSocket",
        "TcpStream",
        "TcpListener",
        "std::fs",
        "std::env",
        "std::thread",
        "std::process",
        "getrandom",
    ];
    let mut cores = sources("edge/core/src", &["rs"]);
    cores.extend(sources("sfu-node/core/src", &["rs"]));
    let found = lines(&cores, |_, line| {
        IMPURE.iter().any(|name| line.contains(name))
    });
    expect_none(
        &found,
        "take the time or the random number as an argument, and yield an output for the shell to act on.",
    );
}

#[test]
fn only_session_and_seal_name_str0m_and_only_seal_names_the_cipher() {
    let core = sources("sfu-node/core/src", &["rs"]);
    let within = |source: &Source, parts: &[&str]| {
        let path = source.path.trim_start_matches("sfu-node/core/src/");
        parts
            .iter()
            .any(|part| path == format!("{part}.rs") || path.starts_with(&format!("{part}/")))
    };
    let found = lines(&core, |source, line| {
        // egress/seal wraps the cipher provider that str0m asks for, so it has to name its traits.
        line.contains("str0m") && !within(source, &["session", "egress/seal"])
            || ["aws_lc_rs", "dimpl"]
                .iter()
                .any(|name| line.contains(name))
                && !within(source, &["egress/seal"])
    });
    expect_none(
        &found,
        "say what you need in our own types, and let session.rs (or egress/seal.rs) translate.",
    );
}

#[test]
fn the_files_of_a_shell_do_not_import_each_other() {
    const SIBLINGS: [&str; 7] = [
        "udp", "tcp", "quic", "sibling", "control", "roster", "ledger",
    ];
    let shell = sources("sfu-node/src", &["rs"]);
    let own = |source: &Source| {
        let path = source.path.trim_start_matches("sfu-node/src/");
        let name = path.split(['/', '.']).next().unwrap_or_default().to_owned();
        SIBLINGS.contains(&name.as_str()).then_some(name)
    };
    let found = lines(&shell, |source, line| {
        own(source).is_some_and(|own| {
            SIBLINGS.iter().filter(|other| **other != own).any(|other| {
                line.contains(&format!("crate::{other}::"))
                    || line.contains(&format!("crate::{other};"))
            })
        })
    });
    expect_none(
        &found,
        "let main, node, shard, neighbors or media join the two: pass a value or a channel in.",
    );
}

#[test]
fn the_app_knows_the_sdk_by_its_name_and_the_sdk_knows_no_framework() {
    // The target of `import … from "x"`, `export … from "x"` and `import("x")`.
    let target = |line: &str| {
        let rest = line
            .split(" from ")
            .nth(1)
            .or_else(|| line.split("import(").nth(1))
            .or_else(|| line.strip_prefix("import "))?;
        rest.split(['"', '\'']).nth(1).map(str::to_owned)
    };
    let mut found = lines(&sources("web/app/src", &["ts", "tsx"]), |_, line| {
        target(line).is_some_and(|to| {
            to.contains("/sdk/") && !to.starts_with("@connect/")
                || to.starts_with("@connect/sdk/src")
        })
    });
    found.extend(lines(&sources("web/sdk/src", &["ts", "tsx"]), |_, line| {
        target(line).is_some_and(|to| {
            to.starts_with("react") || to.starts_with("@connect/") || to.contains("/app/")
        })
    }));
    expect_none(
        &found,
        "the app imports \"@connect/sdk\" or a path that the SDK exports; what needs React belongs to the app.",
    );
}
