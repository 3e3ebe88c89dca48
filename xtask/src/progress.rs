//! Numbered steps on the terminal, several at once where that saves time: `[2/6] Worker … 41 s`.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::words;
use crate::failure::{Failure, Result};
use crate::{log, paths, process};

/// How often what is under way is shown: on a terminal, whose last line is written anew, and in a log, where it is a
/// line more.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(15);
/// The longest line: one that a terminal breaks cannot be written anew.
const WIDTH: usize = 79;
/// Lines of a failed step's log to show.
const TAIL: usize = 40;

/// How a step went.
pub enum Outcome {
    /// There was nothing to do.
    UpToDate,
    /// The work was done.
    Done,
}

/// Steps that follow each other, beside those of other lanes.
pub type Lane<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;

/// The steps of a command.
pub struct Progress(Mutex<Board>);

/// What is shown.
struct Board {
    total: usize,
    ended: usize,
    /// Steps under way: title, and the last that was heard of each.
    running: Vec<(String, String)>,
    failed: bool,
    started: Instant,
    shown: Instant,
    rewrite: bool,
}

impl Progress {
    /// So many steps are to come.
    pub fn new(total: usize) -> Self {
        Self(Mutex::new(Board {
            total,
            ended: 0,
            running: Vec::new(),
            failed: false,
            started: Instant::now(),
            shown: Instant::now(),
            rewrite: stdout().is_terminal(),
        }))
    }

    /// Takes the next step.
    pub fn step(&self, title: &str, work: impl FnOnce(&Step) -> Result<Outcome>) -> Result<()> {
        let started = Instant::now();
        self.board().begin(title);
        let outcome = work(&Step {
            progress: self,
            title,
        });
        let end = match &outcome {
            Ok(Outcome::UpToDate) => "up to date".into(),
            Ok(Outcome::Done) => format!("{} s", started.elapsed().as_secs()),
            Err(Failure::Interrupted) => "interrupted".into(),
            Err(_) => "failed".into(),
        };
        self.board().end(title, &end, outcome.is_ok());
        outcome.map(|_| ())
    }

    /// Takes the steps of several lanes at once. When one fails, the others end as well.
    pub fn side_by_side(&self, lanes: Vec<Lane>) -> Result<()> {
        let outcomes: Vec<Result<()>> = thread::scope(|scope| {
            let lanes: Vec<_> = lanes.into_iter().map(|lane| scope.spawn(lane)).collect();
            let join = |lane: thread::ScopedJoinHandle<Result<()>>| {
                lane.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            lanes.into_iter().map(join).collect()
        });
        // The failure itself, before what ended because of it.
        let (cause, rest): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .filter_map(Result::err)
            .partition(|failure| !matches!(failure, Failure::Interrupted));
        cause.into_iter().chain(rest).next().map_or(Ok(()), Err)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn begin(&mut self, title: &str) {
        self.running.push((title.to_owned(), String::new()));
        self.draw();
    }

    fn end(&mut self, title: &str, how: &str, well: bool) {
        self.running.retain(|(running, _)| running != title);
        self.ended += 1;
        self.failed |= !well;
        let (ended, total) = (self.ended, self.total);
        self.line(&format!("[{ended}/{total}] {title} … {how}"));
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        if self.rewrite {
            print!("\r\x1b[K");
        }
        println!("{text}");
        self.draw();
    }

    /// Notes what was heard of a step, and shows all of them if it is time.
    fn hear(&mut self, title: &str, note: String) {
        for (running, last) in &mut self.running {
            if running == title {
                last.clone_from(&note);
            }
        }
        let pause = if self.rewrite { OFTEN } else { SELDOM };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        if self.rewrite {
            self.draw();
        } else {
            println!("{}", self.under_way());
        }
    }

    /// Writes the last line of a terminal anew.
    fn draw(&self) {
        if self.rewrite && !self.running.is_empty() {
            print!("\r\x1b[K{}", self.under_way());
        }
        // A closed terminal is no reason to stop.
        let _ = stdout().flush();
    }

    /// `[2/6] 41 s: Worker (65/190: syn) · npm packages`
    fn under_way(&self) -> String {
        let steps: Vec<String> = self
            .running
            .iter()
            .map(|(title, note)| match note.as_str() {
                "" => title.clone(),
                note => format!("{title} ({note})"),
            })
            .collect();
        let line = format!(
            "[{}/{}] {} s: {}",
            self.ended,
            self.total,
            self.started.elapsed().as_secs(),
            steps.join(" · ")
        );
        match line.char_indices().nth(WIDTH) {
            Some((end, _)) if self.rewrite => line[..end].to_owned(),
            _ => line,
        }
    }
}

/// A step under way.
pub struct Step<'a> {
    progress: &'a Progress,
    title: &'a str,
}

impl Step<'_> {
    /// Runs a command to its end; its output goes to the log of this name, whose last lines are shown if it fails.
    pub fn run(&self, command: &mut Command, log: &str) -> Result<()> {
        let path = paths::log(log);
        log::redirect(command, &path)?;
        let mut child = process::Child::start(command)?;
        let mut heard = Instant::now();
        let status = loop {
            process::check_interrupted()?;
            if self.progress.board().failed {
                return Err(Failure::Interrupted);
            }
            if let Some(status) = child.ended() {
                break status;
            }
            if heard.elapsed() >= OFTEN {
                heard = Instant::now();
                self.progress.board().hear(self.title, note(&path));
            }
            process::tick();
        };
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(
            format!(
                "`{}` ended with {status}; the end of its output:\n\n{}\n",
                words(command),
                log::tail(&path, TAIL)
            ),
            format!("the whole output is in {}", path.display()),
        ))
    }

    /// Says something about the step on a line of its own.
    pub fn say(&self, text: &str) {
        self.progress.board().line(&format!("      {text}"));
    }
}

/// How far a command is, by its log: what cargo writes behind its bar, else the last line.
fn note(log: &Path) -> String {
    let last = log::tail(&PathBuf::from(log), 1);
    let told = match last.split_once("] ") {
        Some((bar, told)) if bar.contains("Building [") => told,
        _ => &last,
    };
    told.trim().chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(rewrite: bool) -> Board {
        let Progress(board) = Progress::new(6);
        let mut board = board.into_inner().unwrap();
        board.rewrite = rewrite;
        board
    }

    #[test]
    fn one_line_says_how_far_all_steps_are() {
        let mut board = board(false);
        board.begin("npm packages");
        board.end("npm packages", "3 s", true);
        board.begin("Worker");
        board.begin("media node");
        board.hear("Worker", "65/190: syn".into());
        assert_eq!(
            board.under_way(),
            "[1/6] 0 s: Worker (65/190: syn) · media node"
        );
    }

    #[test]
    fn a_terminal_gets_no_line_that_it_would_break() {
        let mut board = board(true);
        for title in ["Worker", "media node", "web app"] {
            board.running.push((title.into(), "…".repeat(40)));
        }
        assert_eq!(board.under_way().chars().count(), WIDTH);
    }

    #[test]
    fn a_failure_ends_the_steps_beside_it_and_is_what_is_told() {
        let progress = Progress::new(2);
        let outcome = progress.side_by_side(vec![
            Box::new(|| {
                progress.step("long", |step| {
                    step.run(Command::new("sleep").arg("600"), "test-sleep")?;
                    Ok(Outcome::Done)
                })
            }),
            Box::new(|| progress.step("wrong", |_| Err(Failure::new("it broke", "")))),
        ]);
        assert_eq!(outcome.unwrap_err().to_string(), "it broke");
    }
}
