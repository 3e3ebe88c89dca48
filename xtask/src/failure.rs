//! Why a command stopped, in words that help.

use std::fmt;
use std::path::Path;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// Ctrl-C or SIGTERM: nothing to report.
    Interrupted,
    /// A command that everybody saw fail.
    Command {
        /// The command.
        words: String,
        /// What it printed.
        output: String,
    },
    /// Something went wrong.
    Error {
        /// What happened.
        what: String,
        /// What to do about it; may be empty.
        help: String,
    },
}

impl Failure {
    /// A failure and the way out of it.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Error {
            what: what.into(),
            help: help.into(),
        }
    }

    /// A failed file operation.
    pub fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            format!("cannot {doing} {}: {error}", path.display()),
            "check that the folder exists, is yours (`ls -ld`), and that the disk has room (`df -h .`)",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Command { words, .. } => write!(f, "failed: {words}"),
            Self::Error { what, help } if help.is_empty() => f.write_str(what),
            Self::Error { what, help } => write!(f, "{what}\n help: {help}"),
        }
    }
}
