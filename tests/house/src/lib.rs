//! Source files and manifests of the checkout, as the tests of this crate look at them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders with files that nobody wrote.
const MADE: [&str; 5] = ["node_modules", "dist", "target", "build", "generated"];

/// The top of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// A source file.
pub struct Source {
    /// Relative to the checkout, with forward slashes.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

impl Source {
    /// The text without the tests at its end and without comment lines; line numbers start at 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = ["mod ", "pub mod "].map(|how| format!("\n#[cfg(test)]\n{how}"));
        let start = tests.iter().find_map(|tests| self.text.find(tests));
        let end = match start {
            // `mod tests;` names another file and ends nothing.
            Some(start)
                if self.text[start..]
                    .lines()
                    .nth(2)
                    .is_some_and(|line| line.ends_with('{')) =>
            {
                start
            }
            _ => self.text.len(),
        };
        self.text[..end]
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| {
                let line = line.trim_start();
                !line.is_empty() && !["//", "/*", "*"].iter().any(|mark| line.starts_with(mark))
            })
    }

    /// Whether the file is there for tests only.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.contains("/tests/") || name == "tests.rs" || name.contains(".test.")
    }
}

/// The written files under a folder with one of these endings; none if there is no such folder.
pub fn sources(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    collect(&root.join(folder), &mut paths);
    paths.sort();
    paths
        .iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|end| endings.iter().any(|wanted| end == *wanted))
        })
        .filter_map(|path| {
            Some(Source {
                path: path
                    .strip_prefix(&root)
                    .ok()?
                    .to_string_lossy()
                    .replace('\\', "/"),
                text: fs::read_to_string(path).ok()?,
            })
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !MADE.contains(&&*name) {
            collect(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

/// A package of the workspace and what it depends on.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Names of its dependencies, without those of tests.
    pub dependencies: Vec<String>,
    /// Names of the dependencies of its tests.
    pub test_dependencies: Vec<String>,
}

/// The packages of the workspace.
pub fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let package = |package: &serde_json::Value| {
        let (test, plain): (Vec<_>, Vec<_>) = list(&package["dependencies"])
            .into_iter()
            .partition(|dependency| dependency["kind"] == "dev");
        let names = |dependencies: Vec<serde_json::Value>| {
            dependencies.iter().map(|one| text(&one["name"])).collect()
        };
        Package {
            name: text(&package["name"]),
            dependencies: names(plain),
            test_dependencies: names(test),
        }
    };
    list(&metadata["packages"]).iter().map(package).collect()
}

/// Fails with all that was found, and with the way to mend it.
#[track_caller]
pub fn expect_none(found: &[String], mend: &str) {
    assert!(
        found.is_empty(),
        "\n  {}\n\nto mend: {mend}\n",
        found.join("\n  ")
    );
}
