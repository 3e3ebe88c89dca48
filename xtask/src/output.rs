//! What a command prints: shown as it comes, and kept until the summary.
//!
//! Both its streams are one channel, so that they stay in order. On a terminal the channel is a terminal, too: programs
//! color what they print and redraw their progress as if nobody were between.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, OutputModes, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use crate::failure::{Failure, Result};
use crate::process::{Child, check_interrupted};

/// Bytes of a command's output to keep, the last ones: a failing test of those before is not shown in the summary.
const KEPT: usize = 4 * 1024 * 1024;
/// How long to read on when a command has ended: something that it left running may print without an end.
const REST: Duration = Duration::from_secs(1);
/// How often to look whether a command that prints nothing has ended.
const PAUSE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 25_000_000,
};

/// Runs a command whose output is shown here; returns how it ended, and what it printed.
pub fn show(command: &mut Command, shown: &mut impl Write) -> Result<(ExitStatus, String)> {
    let (reader, writer) = channel().map_err(|error| {
        Failure::new(
            format!("cannot read what a command prints: {error}"),
            "see how many files and terminals may be open (`ulimit -n`, /proc/sys/kernel/pty/max)",
        )
    })?;
    let mut output = Output {
        reader,
        kept: Vec::new(),
    };
    command.stdout(writer.0).stderr(writer.1);
    let mut child = Child::start(command)?;
    let status = output.pass_on_until_end(&mut child, shown);
    // What it left running ends here, and all of it after an interruption: with its last words, such as one that shows
    // the terminal's cursor again.
    drop(child);
    let ended = Instant::now();
    while output.pass_on(shown) && ended.elapsed() < REST {}
    Ok((status?, String::from_utf8_lossy(&output.kept).into_owned()))
}

struct Output {
    reader: File,
    kept: Vec<u8>,
}

impl Output {
    fn pass_on_until_end(
        &mut self,
        child: &mut Child,
        shown: &mut impl Write,
    ) -> Result<ExitStatus> {
        loop {
            check_interrupted()?;
            if let Some(status) = child.ended() {
                return Ok(status);
            }
            if !self.pass_on(shown) {
                self.wait();
            }
        }
    }

    /// Waits a moment for more. The end of the channel never comes, as the command holds its ends of it.
    fn wait(&self) {
        let mut channel = [PollFd::new(&self.reader, PollFlags::IN)];
        // A signal ends it early.
        let _ = poll(&mut channel, Some(&PAUSE));
    }

    /// Shows and keeps what has come; whether there was anything.
    fn pass_on(&mut self, shown: &mut impl Write) -> bool {
        let mut buffer = [0; 64 * 1024];
        // It would block, or nobody is left who could print.
        let Ok(length @ 1..) = self.reader.read(&mut buffer) else {
            return false;
        };
        // A closed terminal is no reason to stop.
        let _ = shown
            .write_all(&buffer[..length])
            .and_then(|()| shown.flush());
        self.kept.extend_from_slice(&buffer[..length]);
        if self.kept.len() > 2 * KEPT {
            self.kept.drain(..self.kept.len() - KEPT);
        }
        true
    }
}

/// What is read without blocking, and the two ends that a command prints to.
fn channel() -> io::Result<(File, (OwnedFd, OwnedFd))> {
    let (reader, writer) = if io::stdout().is_terminal() {
        terminal()?
    } else {
        let (reader, writer) = io::pipe()?;
        (reader.into(), writer.into())
    };
    fcntl_setfl(&reader, fcntl_getfl(&reader)? | OFlags::NONBLOCK)?;
    let twin = writer.try_clone()?;
    Ok((reader.into(), (writer, twin)))
}

/// A terminal of the size of ours.
fn terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    fcntl_setfd(&ours, FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(ptsname(&ours, Vec::new())?, flags, Mode::empty())?;
    tcsetwinsize(&theirs, tcgetwinsize(io::stdout().as_fd())?)?;
    // The ends of lines are for the real one to make.
    let mut modes = tcgetattr(&theirs)?;
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    Ok((ours, theirs))
}

/// The lines of an output as they were left to be read: without colors, and without what a program wrote over.
pub fn lines(output: &str) -> Vec<String> {
    let left = |line: &str| {
        let line = plain(line);
        let written = line.trim_end_matches('\r').rsplit('\r').next();
        written.unwrap_or_default().to_owned()
    };
    output.lines().map(left).collect()
}

/// A line without what moves a terminal's cursor or colors it (ECMA-48, 5.4), or gives it a title or a link.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(char) = rest.next() {
        if char != '\u{1b}' {
            text.push(char);
            continue;
        }
        match rest.next() {
            Some('[') => rest.find(|char| ('@'..='~').contains(char)),
            Some(']') => rest.find(|char| matches!(char, '\u{7}' | '\\')),
            other => other,
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> (bool, String, String) {
        let mut shown = Vec::new();
        let (status, kept) =
            show(Command::new("sh").args(["-c", script]), &mut shown).expect("a shell");
        (
            status.success(),
            String::from_utf8(shown).expect("text"),
            kept,
        )
    }

    #[test]
    fn both_streams_are_shown_and_kept_in_order() {
        let (success, shown, kept) = run("echo one; echo two >&2; echo three; exit 3");
        assert!(!success);
        assert_eq!(shown, "one\ntwo\nthree\n");
        assert_eq!(kept, shown);
    }

    #[test]
    fn more_than_a_pipe_holds_comes_through() {
        let (success, shown, _) = run("seq 200000");
        assert!(success);
        assert_eq!(shown.lines().count(), 200_000);
    }

    #[test]
    fn what_a_command_leaves_running_holds_nothing_up() {
        let (success, shown, _) = run("sleep 600 & yes & echo last; exit 1");
        assert!(!success);
        assert!(shown.contains("last\n"));
    }

    #[test]
    fn a_line_is_what_is_left_to_be_read() {
        let output = "\u{1b}[1;31mred\u{1b}[0m\r\n10%\r20%\r\n\u{1b}]8;;file:///x\u{1b}\\link\u{1b}]8;;\u{1b}\\";
        assert_eq!(lines(output), ["red", "20%", "link"]);
    }
}
