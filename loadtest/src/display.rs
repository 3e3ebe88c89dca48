//! The progress display: one line that is rewritten, or a line now and then where lines cannot be.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use loadtest::crew::Progress;

/// How often a line of progress is shown where lines cannot be rewritten.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// One line that says how far a run is.
pub struct Display {
    name: &'static str,
    rewrite: bool,
    shown: Option<Instant>,
}

impl Display {
    /// A display of what goes by this name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            rewrite: stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows how far it is.
    pub fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Joining { connected, people } => {
                self.show(&format!("{connected} of {people} people have media"));
            }
            Progress::Measuring { passed, of } => {
                self.show(&format!(
                    "measuring, {} of {} s",
                    passed.as_secs(),
                    of.as_secs()
                ));
            }
        }
    }

    /// Shows anything else.
    pub fn show(&mut self, text: &str) {
        if self.rewrite {
            eprint!("\r\x1b[K{}: {text}", self.name);
        } else if self.shown.is_none_or(|at| at.elapsed() >= SIGN_OF_LIFE) {
            self.shown = Some(Instant::now());
            eprintln!("{}: {text}", self.name);
        }
    }

    /// Clears the line.
    pub fn end(&self) {
        if self.rewrite {
            eprint!("\r\x1b[K");
        }
    }
}
