//! Log files: what commands print that is not shown here, and its last lines.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::output::lines;

/// A new, empty log file, and its folder.
pub fn create(path: &Path) -> Result<File> {
    let opened = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| File::create(path));
    opened.map_err(|error| Failure::file("write", path, &error))
}

/// Sends the output of a command to a log.
pub fn redirect(command: &mut Command, log: &Path) -> Result<()> {
    let file = create(log)?;
    let copy = file
        .try_clone()
        .map_err(|error| Failure::file("write", log, &error))?;
    command.stdout(file).stderr(copy);
    Ok(())
}

/// The last lines of a log.
pub fn tail(log: &PathBuf, count: usize) -> String {
    /// More than this many bytes are never shown.
    const LONGEST: u64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let all = lines(&String::from_utf8_lossy(&bytes));
    let told: Vec<String> = all
        .into_iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    told[told.len().saturating_sub(count)..].join("\n")
}
