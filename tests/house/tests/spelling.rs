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

/// A name of the browsers' API that holds one of these words.
const NAME: &str = "analyser";

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
            let lower = line.to_lowercase().replace(NAME, "");
            for (_, right) in WORDS.iter().filter(|(wrong, _)| lower.contains(wrong)) {
                found.push(format!("{}:{}: {right}", source.path, index + 1));
            }
        }
    }
    expect_none(&found, "spell the word as the line above says.");
}
