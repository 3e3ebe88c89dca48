//! Each input of the corpus passes through its target.

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_disturbs_nobody() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in fuzz::TARGETS {
        let inputs = fs::read_dir(corpus.join(name)).expect(name);
        let mut count = 0;
        for input in inputs {
            target(&fs::read(input.expect("an entry").path()).expect("an input"));
            count += 1;
        }
        assert!(count > 0, "{name} has no inputs");
    }
}
