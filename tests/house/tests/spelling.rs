//! One spelling, the American one, in code and in prose.

use house::{expect_none, sources};

/// How a word is not spelled here, and how it is.
const WORDS: [(&str, &str); 27] = [
    ("acknowledgement", "acknowledgment"),
    ("analyse", "analyze"),
    ("artefact", "artifact"),
    ("behaviour", "behavior"),
    ("catalogue", "catalog"),
    ("centre", "center"),
    ("colour", "color"),
    ("dialled", "dialed"),
    ("dialling", "dialing"),
    ("favour", "favor"),
    ("honour", "honor"),
    ("initialise", "initialize"),
    ("judgement", "judgment"),
    ("labelled", "labeled"),
    ("learnt", "learned"),
    ("licence", "license"),
    ("modelling", "modeling"),
    ("neighbour", "neighbor"),
    ("normalise", "normalize"),
    ("optimise", "optimize"),
    ("organise", "organize"),
    ("recognise", "recognize"),
    ("serialise", "serialize"),
    ("signalling", "signaling"),
    ("towards", "toward"),
    ("travelling", "traveling"),
    ("whilst", "while"),
];

/// What the web platform has named, in lower case: we cannot spell it.
const FOREIGN: [&str; 2] = ["analysernode", "createanalyser"];

#[test]
fn words_have_one_spelling() {
    let mut found = Vec::new();
    for source in sources(
        "",
        &["rs", "ts", "tsx", "css", "html", "md", "toml", "yml", "tf"],
    ) {
        if source.path.ends_with("tests/spelling.rs") {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            let lower = FOREIGN
                .iter()
                .fold(line.to_lowercase(), |line, name| line.replace(name, ""));
            for (_, right) in WORDS.iter().filter(|(wrong, _)| lower.contains(wrong)) {
                found.push(format!("{}:{}: {right}", source.path, index + 1));
            }
        }
    }
    expect_none(&found, "spell the word as the line above says.");
}
