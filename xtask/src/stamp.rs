//! Stamps: whether something was built from exactly the files that are there now.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::paths;

/// Folders that are made, not written.
const MADE: [&str; 5] = [
    "node_modules",
    "dist",
    "target",
    "test-results",
    ".wrangler",
];

/// The contents of the inputs of a build, in one number.
pub struct Stamp {
    file: PathBuf,
    output: PathBuf,
    value: String,
}

impl Stamp {
    /// Reads the inputs of an output: files and folders relative to the checkout. What is not there counts as empty.
    pub fn of(name: &str, output: PathBuf, inputs: &[&str]) -> Result<Self> {
        let root = paths::root();
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            add(&root.join(input), &mut hasher)?;
        }
        Ok(Self {
            output,
            file: paths::target().join("stamps").join(name),
            value: format!("{:016x}", hasher.finish()),
        })
    }

    /// Whether the output is there, and was made from these inputs.
    pub fn holds(&self) -> bool {
        self.output.exists() && fs::read_to_string(&self.file).is_ok_and(|old| old == self.value)
    }

    /// Remembers that the output was made from these inputs.
    pub fn write(&self) -> Result<()> {
        self.file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&self.file, &self.value))
            .map_err(|error| Failure::file("write", &self.file, &error))
    }
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let failed = |error| Failure::file("read", path, &error);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = fs::read_dir(path)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect()
            })
            .map_err(failed)?;
        entries.sort();
        let made = |entry: &PathBuf| {
            entry
                .file_name()
                .is_some_and(|name| MADE.iter().any(|made| name == *made))
                || *entry == paths::root().join("edge/build")
        };
        return entries
            .iter()
            .filter(|entry| !made(entry))
            .try_for_each(|entry| add(entry, hasher));
    }
    if path.is_file() {
        path.hash(hasher);
        fs::read(path).map_err(failed)?.hash(hasher);
    }
    Ok(())
}
