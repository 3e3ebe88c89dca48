//! `cargo xtask reset`: starts a part of what Connect leaves on a machine afresh, after saying what is lost with it.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::secrets::Secrets;
use crate::{paths, stack};

/// What can be started afresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What steps and processes wrote.
    Logs,
    /// Programs that set-up fetched.
    Tools,
    /// What the media nodes keep.
    Nodes,
    /// Keys that may be made anew.
    Secrets,
    /// What the Worker keeps.
    Accounts,
}

impl Part {
    /// All of them, the dearest last.
    pub const ALL: [Self; 5] = [
        Self::Logs,
        Self::Tools,
        Self::Nodes,
        Self::Secrets,
        Self::Accounts,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Tools => "tools",
            Self::Nodes => "nodes",
            Self::Secrets => "secrets",
            Self::Accounts => "accounts",
        }
    }

    /// What is lost with it.
    fn loss(self) -> &'static str {
        match self {
            Self::Logs => "the logs of builds and of the last run",
            Self::Tools => {
                "nothing but time: other checkouts use them, too, and what is needed is fetched again"
            }
            Self::Nodes => {
                "what media nodes recorded of past calls, and the state of the last tests"
            }
            Self::Secrets => {
                "the signing keys and the node key: everybody has to sign in again, and nodes that `cargo xtask dev` did \
                 not start need the new node key. Accounts and their key stay"
            }
            Self::Accounts => {
                "EVERY ACCOUNT, ROOM AND CHAT of `cargo xtask dev`, and the key that account ids come from. There is no \
                 way back"
            }
        }
    }

    /// The files and folders that it is. Of the secrets' file only some lines are.
    fn paths(self) -> Vec<PathBuf> {
        match self {
            Self::Logs => vec![paths::local().join("logs")],
            Self::Tools => vec![paths::cache()],
            Self::Nodes => {
                let regions = stack::REGIONS.iter().chain(&["test"]);
                regions.map(|name| paths::local().join(name)).collect()
            }
            Self::Secrets => vec![Secrets::of(&paths::accounts()).keys],
            Self::Accounts => vec![paths::accounts()],
        }
    }

    /// Those of its files and folders that are there.
    fn found(self) -> Vec<PathBuf> {
        let mut paths = self.paths();
        paths.retain(|path| path.exists());
        paths
    }
}

/// Says what there is to reset, or resets these parts once somebody has agreed.
pub fn run(parts: &[Part], agreed: bool) -> Result<()> {
    if parts.is_empty() {
        println!("Nothing was changed. What can be started afresh, and what is lost with it:\n");
        Part::ALL.iter().for_each(|part| describe(*part));
        println!("\n`cargo xtask reset NAME…` asks before it does.");
        return Ok(());
    }
    // Not under the feet of a Connect that runs.
    let _lock = stack::lock(&paths::local())?;
    println!("This will be lost:\n");
    parts.iter().for_each(|part| describe(*part));
    if !agreed && !is_agreed()? {
        println!("Nothing was changed.");
        return Ok(());
    }
    for part in parts {
        reset(*part)?;
    }
    println!("Done. `cargo xtask dev` makes anew what it needs.");
    Ok(())
}

fn describe(part: Part) {
    let found: Vec<String> = part.found().iter().map(|path| shown(path)).collect();
    let place = if found.is_empty() {
        "there is none".to_owned()
    } else {
        found.join(", ")
    };
    println!(
        "  {:<9} {}\n            ({place})",
        part.name(),
        part.loss()
    );
}

/// A path as it is seen from the checkout.
fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(paths::root());
    inside.unwrap_or(path).display().to_string()
}

fn is_agreed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            "nothing was changed: there is nobody to ask",
            "`--yes` is for scripts that know what they lose",
        ));
    }
    print!("\nType yes to go on: ");
    let mut answer = String::new();
    io::stdout()
        .flush()
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(|error| Failure::new(format!("cannot ask: {error}"), ""))?;
    Ok(answer.trim() == "yes")
}

fn reset(part: Part) -> Result<()> {
    if part == Part::Secrets {
        return Secrets::of(&paths::accounts()).renew();
    }
    part.found().iter().try_for_each(|path| {
        fs::remove_dir_all(path).map_err(|error| Failure::file("remove", path, &error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_with_the_accounts_touches_their_key() {
        let key = Secrets::of(&paths::accounts()).id;
        for part in Part::ALL {
            let touches = part.paths().iter().any(|path| key.starts_with(path));
            assert_eq!(touches, part == Part::Accounts, "{}", part.name());
        }
    }
}
