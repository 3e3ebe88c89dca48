//! How a file is kept: it says what it is about, and it is about one thing.

use house::{Source, expect_none, sources};

/// Lines of code, without blank lines, comments and tests, from which a file is too large.
const LARGEST: usize = 450;

/// Files that may be larger, and why.
const LARGER: [(&str, &str); 0] = [];

fn everything() -> Vec<Source> {
    [
        "protocol", "edge", "sfu-node", "web", "tests", "xtask", "loadtest",
    ]
    .iter()
    .flat_map(|folder| sources(folder, &["rs", "ts", "tsx", "js", "css"]))
    .collect()
}

#[test]
fn a_file_opens_with_its_subject() {
    let silent = |source: &Source| {
        let first = source.text.lines().next().unwrap_or_default();
        let mark = if source.path.ends_with(".rs") {
            "//! "
        } else {
            "/"
        };
        !first.starts_with(mark)
    };
    let found: Vec<String> = everything()
        .iter()
        .filter(|source| silent(source))
        .map(|source| source.path.clone())
        .collect();
    expect_none(
        &found,
        "let the first line say in one sentence what the file is about: `//! …` in Rust, `// …` or `/* … */` elsewhere.",
    );
}

#[test]
fn a_file_is_not_too_large() {
    let found: Vec<String> = everything()
        .iter()
        .filter(|source| !source.path.ends_with(".css"))
        .filter(|source| LARGER.iter().all(|(path, _)| source.path != *path))
        .map(|source| (source, source.code().count()))
        .filter(|(_, lines)| *lines > LARGEST)
        .map(|(source, lines)| format!("{}: {lines} lines of code", source.path))
        .collect();
    expect_none(
        &found,
        "one file has one subject: find the second one and give it a file. If it truly is one subject, name the file and \
         the reason in LARGER in this file.",
    );
}

#[test]
fn nothing_is_left_for_later() {
    // In two halves, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let mut found = Vec::new();
    for source in everything() {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    expect_none(
        &found,
        "do it now, or open an issue and leave the code complete without it.",
    );
}

#[test]
fn a_decision_has_its_number_to_itself() {
    let decisions = sources("docs/decisions", &["md"]);
    let number =
        |source: &Source| source.path.trim_start_matches("docs/decisions/")[..4].to_owned();
    let mut numbers: Vec<String> = decisions.iter().map(number).collect();
    numbers.sort();
    let twice = numbers.windows(2).filter(|pair| pair[0] == pair[1]);
    let found: Vec<String> = twice.map(|pair| pair[0].clone()).collect();
    expect_none(&found, "give the later decision the next free number.");
}
