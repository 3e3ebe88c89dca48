//! Numbered steps on the terminal: `[2/6] Building the Worker … 41 s`.

use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::command::words;
use crate::failure::{Failure, Result};
use crate::{paths, process};

/// How often a long step shows a sign of life where lines cannot be rewritten.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// Lines of a failed step's log to show.
const TAIL: usize = 40;

/// How a step went.
pub enum Outcome {
    /// There was nothing to do.
    UpToDate,
    /// The work was done.
    Done,
}

/// The steps of a command.
pub struct Progress {
    total: usize,
    current: usize,
}

impl Progress {
    /// So many steps are to come.
    pub fn new(total: usize) -> Self {
        Self { total, current: 0 }
    }

    /// Takes the next step.
    pub fn step(
        &mut self,
        title: &str,
        work: impl FnOnce(&mut Step) -> Result<Outcome>,
    ) -> Result<()> {
        self.current += 1;
        let mut step = Step {
            label: format!("[{}/{}] {title} …", self.current, self.total),
            started: Instant::now(),
            shown: Instant::now(),
            rewrite: stdout().is_terminal(),
        };
        step.show("");
        let outcome = work(&mut step);
        let end = match &outcome {
            Ok(Outcome::UpToDate) => "up to date".into(),
            Ok(Outcome::Done) => format!("{} s", step.started.elapsed().as_secs()),
            Err(Failure::Interrupted) => "interrupted".into(),
            Err(_) => "failed".into(),
        };
        step.end(&end);
        outcome.map(|_| ())
    }
}

/// A step under way.
pub struct Step {
    label: String,
    started: Instant,
    shown: Instant,
    rewrite: bool,
}

impl Step {
    /// Runs a command to its end; its output goes to the log of this name, whose last lines are shown if it fails.
    pub fn run(&mut self, command: &mut Command, log: &str) -> Result<()> {
        let path = paths::log(log);
        process::log_to(command, &path)?;
        let status = process::Child::start(command)?.wait(|| self.tick(&path))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(
            format!(
                "`{}` ended with {status}; the end of its output:\n\n{}\n",
                words(command),
                process::tail(&path, TAIL)
            ),
            format!("the whole output is in {}", path.display()),
        ))
    }

    /// Says something about the step on a line of its own.
    pub fn say(&self, text: &str) {
        if self.rewrite {
            print!("\r\x1b[K");
        }
        println!("      {text}");
    }

    fn tick(&mut self, log: &PathBuf) {
        let often = if self.rewrite {
            Duration::from_secs(1)
        } else {
            SIGN_OF_LIFE
        };
        if self.shown.elapsed() >= often {
            self.shown = Instant::now();
            let last: String = process::tail(log, 1).trim().chars().take(60).collect();
            self.show(&format!("{} s ({last})", self.started.elapsed().as_secs()));
        }
    }

    fn show(&self, note: &str) {
        if self.rewrite {
            print!("\r\x1b[K{} {note}", self.label);
        } else if !note.is_empty() {
            println!("{} {note}", self.label);
        }
        // A closed terminal is no reason to stop.
        let _ = stdout().flush();
    }

    fn end(&self, note: &str) {
        self.show(note);
        if self.rewrite {
            println!();
        }
    }
}
