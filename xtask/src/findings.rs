//! What failed, and why: the lines of a test runner's output that say so.

use crate::output::lines;

/// Lines to show of one command.
const MOST: usize = 60;
/// So many of them are the last, when there are more.
const LAST: usize = 15;

/// A part of a runner's output that tells of failures.
struct Part {
    begins: fn(&str) -> bool,
    /// Its last line; without one it goes to the end of the output.
    ends: fn(&str) -> bool,
}

const PARTS: [Part; 4] = [
    // vitest: `⎯⎯⎯ Failed Tests 2 ⎯⎯⎯`
    Part {
        begins: |line| {
            let title = line.trim_matches(['⎯', ' ']);
            line.trim_start().starts_with('⎯')
                && (title.starts_with("Failed ") || title.starts_with("Unhandled "))
        },
        ends: |_| false,
    },
    // Node's own runner
    Part {
        begins: |line| line == "✖ failing tests:",
        ends: |_| false,
    },
    // Rust's tests, one program after the other
    Part {
        begins: |line| line == "failures:",
        ends: |line| line.starts_with("test result:"),
    },
    // cargo, of the programs that failed: a test may have ended all of its program
    Part {
        begins: |line| line.starts_with("error: ") && line.ends_with(" failed:"),
        ends: |_| false,
    },
];

/// What says which tests failed and why; the end of the output where no runner says it.
pub fn of(output: &str) -> String {
    let lines = lines(output);
    let mut told = Vec::new();
    let mut part: Option<&Part> = None;
    for line in &lines {
        part = part.or_else(|| PARTS.iter().find(|part| (part.begins)(line)));
        let Some(inside) = part else { continue };
        told.push(line.clone());
        if (inside.ends)(line) {
            part = None;
        }
    }
    if told.is_empty() {
        let end = lines.len().saturating_sub(MOST);
        return lines[end..].join("\n");
    }
    if told.len() > MOST {
        let (first, last) = (MOST - LAST, told.len() - LAST);
        let between = format!("… {} more lines …", last - first);
        told.splice(first..last, [between]);
    }
    told.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_vitest_it_is_the_failed_tests() {
        let output = "\u{1b}[32m ✓ tests/store.test.ts (9 tests)\u{1b}[39m\n\
            \u{1b}[31m⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯\u{1b}[39m\n\
            \n\
            \u{1b}[31m FAIL \u{1b}[39m tests/backoff.test.ts > waits longer each time\n\
            AssertionError: expected 2 to be 3\n";
        assert_eq!(
            of(output),
            "⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯\n\
            \n FAIL  tests/backoff.test.ts > waits longer each time\n\
            AssertionError: expected 2 to be 3"
        );
    }

    #[test]
    fn of_node_it_is_the_failing_tests() {
        let output = "✔ calls (5 ms)\n✖ hears (2 ms)\nℹ fail 1\n\n\
            ✖ failing tests:\n\ntest at src/calls.test.ts:3:1\n✖ hears (2 ms)\n  Error: no sound\n";
        assert_eq!(
            of(output),
            "✖ failing tests:\n\ntest at src/calls.test.ts:3:1\n✖ hears (2 ms)\n  Error: no sound"
        );
    }

    #[test]
    fn of_cargo_it_is_the_failures_of_each_program() {
        let output = "running 2 tests\n.F\nfailures:\n\n---- a stdout ----\nit broke\n\n\
            failures:\n    a\n\ntest result: FAILED. 1 passed; 1 failed\n\
            error: test failed, to rerun pass `-p one --lib`\n\
            running 1 test\n.\ntest result: ok. 1 passed\n\
            error: 2 targets failed:\n    `-p one --lib`\n    `-p two --lib`\n";
        assert_eq!(
            of(output),
            "failures:\n\n---- a stdout ----\nit broke\n\n\
            failures:\n    a\n\ntest result: FAILED. 1 passed; 1 failed\n\
            error: 2 targets failed:\n    `-p one --lib`\n    `-p two --lib`"
        );
    }

    #[test]
    fn of_anything_else_it_is_the_end() {
        let output: String = (1..=100).map(|number| format!("{number}\n")).collect();
        let told = of(&output);
        assert!(told.starts_with("41\n") && told.ends_with("\n100"));
    }

    #[test]
    fn of_much_it_is_the_beginning_and_the_end() {
        let numbers: String = (1..=100).map(|number| format!("{number}\n")).collect();
        let told = of(&format!("✖ failing tests:\n{numbers}"));
        assert!(told.starts_with("✖ failing tests:\n1\n") && told.ends_with("\n100"));
        assert!(told.contains("\n44\n… 41 more lines …\n86\n"));
    }
}
