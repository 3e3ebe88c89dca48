//! The guard: a small process that outlives this one, and ends what it left behind, even after a SIGKILL.
//!
//! It reads `+PGID` and `-PGID` lines. When its input ends, whatever group is left is ended.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::process;

/// How long the groups have after SIGTERM until SIGKILL.
const GRACE: Duration = Duration::from_secs(3);

/// The line to the guard.
pub struct Guard(ChildStdin);

impl Guard {
    /// Starts the guard.
    pub fn start() -> Result<Self> {
        let failed =
            |error: io::Error| Failure::new(format!("cannot start the guard process: {error}"), "");
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(program)
            .arg("guard")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Of its own group, so that the Ctrl-C of a terminal does not reach it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        match child.stdin.take() {
            Some(stdin) => Ok(Self(stdin)),
            None => Err(failed(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Puts a process group under guard.
    pub fn add(&mut self, group: i32) {
        self.tell('+', group);
    }

    /// The process group has ended.
    pub fn remove(&mut self, group: i32) {
        self.tell('-', group);
    }

    fn tell(&mut self, sign: char, group: i32) {
        // Without its guard a run still ends its children itself.
        let _ = writeln!(self.0, "{sign}{group}");
    }
}

/// The guard process itself.
pub fn run() {
    let mut groups = BTreeSet::new();
    for line in io::stdin()
        .lock()
        .lines()
        .map_while(std::result::Result::ok)
    {
        match line.parse::<i32>() {
            Ok(group) if group > 0 && line.starts_with('+') => groups.insert(group),
            Ok(group) => groups.remove(&-group),
            Err(_) => false,
        };
    }
    process::end_groups(&groups.into_iter().collect::<Vec<_>>(), GRACE);
}
