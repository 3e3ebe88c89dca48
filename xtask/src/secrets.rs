//! The secrets of a development machine, made when they are first needed. Two files, as what becomes of them differs:
//! `.dev.vars` may be made anew at any time, but accounts hang on the id key, which is kept with them.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::paths;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const SIGNING_KEYS: &str = "CONNECT_SIGNING_KEYS";
const NODE_KEY: &str = "CONNECT_NODE_KEY";
const ID_KEY: &str = "CONNECT_ID_KEY";

const ABOUT: &str = "# Secrets of this machine only. `cargo xtask reset secrets` makes new ones.\n";
const ABOUT_ID: &str =
    "# Account ids come from this key: without it nobody finds their account again.\n";

/// Where the secrets are.
pub struct Secrets {
    /// What may be made anew.
    pub keys: PathBuf,
    /// The id key.
    pub id: PathBuf,
}

impl Secrets {
    /// Those of this checkout, for the accounts in a folder.
    pub fn of(accounts: &Path) -> Self {
        Self {
            keys: paths::root().join(".dev.vars"),
            id: accounts.join("id-key.vars"),
        }
    }

    /// Makes what is not there yet. Returns whether it made `.dev.vars`.
    pub fn ensure(&self) -> Result<bool> {
        self.ensure_id()?;
        let is_new = !self.keys.exists();
        if is_new {
            append(&self.keys, ABOUT)?;
        }
        let text = read(&self.keys)?;
        if value(&text, SIGNING_KEYS).is_none() {
            let seed = random_key()?;
            append(
                &self.keys,
                &format!("{SIGNING_KEYS}='[{{\"kid\":\"k1\",\"seed\":\"{seed}\"}}]'\n"),
            )?;
        }
        if value(&text, NODE_KEY).is_none() {
            append(&self.keys, &format!("{NODE_KEY}={}\n", random_key()?))?;
        }
        Ok(is_new)
    }

    fn ensure_id(&self) -> Result<()> {
        let key = self.id_key()?;
        if value(&read(&self.id)?, ID_KEY).is_some() {
            return Ok(());
        }
        let key = key.map_or_else(random_key, Ok)?;
        append(&self.id, &format!("{ABOUT_ID}{ID_KEY}={key}\n"))
    }

    /// The id key: the one that is kept, else that of a `.dev.vars` from before it was kept apart. An error where nobody would
    /// find their account again.
    pub fn id_key(&self) -> Result<Option<String>> {
        let before = value(&read(&self.keys)?, ID_KEY);
        let kept = value(&read(&self.id)?, ID_KEY);
        match (kept, before) {
            (Some(kept), Some(before)) if kept != before => Err(Failure::new(
                format!(
                    "{} and {} have different values of {ID_KEY}, and accounts are found by one of them only",
                    self.id.display(),
                    self.keys.display()
                ),
                format!(
                    "the accounts here were made under the one in {}: take the line out of .dev.vars. Only if you brought \
                     accounts and their .dev.vars from elsewhere, put its line in the first file instead",
                    self.id.display()
                ),
            )),
            (None, None) if self.has_accounts()? => Err(Failure::new(
                format!(
                    "there are accounts, and the key that their ids come from is gone from {}: nobody would find their \
                     account again",
                    self.id.display()
                ),
                "bring that file back from a copy, or its line from an older .dev.vars; or give the accounts up: \
                 `cargo xtask reset accounts`",
            )),
            (kept, before) => Ok(kept.or(before)),
        }
    }

    /// Whether anybody has an account in the folder of the id key: each is a database of its own.
    fn has_accounts(&self) -> Result<bool> {
        let folder = self.id.with_file_name("v3/do/connect-UserObject");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(|error| Failure::file("read", &folder, &error))?,
        };
        let mut names = entries.flatten().map(|entry| entry.file_name());
        // Wrangler's own, which is there without any as well.
        Ok(names.any(|name| {
            Path::new(&name).extension() == Some("sqlite".as_ref()) && name != "metadata.sqlite"
        }))
    }

    /// Makes new keys in place of those that may be; other lines stay as they are, that of an id key among them.
    pub fn renew(&self) -> Result<()> {
        self.ensure_id()?;
        let text = read(&self.keys)?;
        let stays = |line: &&str| {
            let key = line.split('=').next().unwrap_or_default().trim();
            key != SIGNING_KEYS && key != NODE_KEY
        };
        let left: Vec<&str> = text.lines().filter(stays).collect();
        // Whole or not at all, as there may be lines in it that nobody could make again; and where git does not look.
        let part = self.id.with_extension("part");
        let _ = fs::remove_file(&part);
        append(&part, &(left.join("\n") + "\n"))?;
        fs::rename(&part, &self.keys)
            .map_err(|error| Failure::file("write", &self.keys, &error))?;
        self.ensure().map(|_| ())
    }

    /// The key that nodes sign their tokens with.
    pub fn node_key(&self) -> Result<String> {
        value(&read(&self.keys)?, NODE_KEY).ok_or_else(|| {
            Failure::new(
                format!("{} has no {NODE_KEY}", self.keys.display()),
                "start again: what is missing is made anew",
            )
        })
    }
}

/// The text of a file; empty if it is not there.
fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        other => other.map_err(|error| Failure::file("read", path, &error)),
    }
}

/// The value of a variable, if it has one: of several the last, as wrangler reads them.
fn value(text: &str, name: &str) -> Option<String> {
    let named = variables(text).filter(|(key, _)| *key == name);
    let last = named.last().map(|(_, value)| value.to_owned());
    last.filter(|value| !value.is_empty())
}

/// The variables of a file, and what they are set to.
pub fn variables(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim(), value.trim().trim_matches(['"', '\''])))
    })
}

/// Adds to a file that only its owner may read.
fn append(path: &Path, text: &str) -> Result<()> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| {
            OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)
        })
        .and_then(|mut file| {
            // The last line of a file that somebody edited may have no end.
            let newline = if ends_in_a_line(path)? { "" } else { "\n" };
            file.write_all(format!("{newline}{text}").as_bytes())
        })
        .map_err(|error| Failure::file("write", path, &error))
}

fn ends_in_a_line(path: &Path) -> std::io::Result<bool> {
    Ok(fs::read(path)?.last().is_none_or(|byte| *byte == b'\n'))
}
/// 32 random bytes in base64url (RFC 4648, section 5).
pub fn random_key() -> Result<String> {
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0; 32];
    File::open(&path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::file("read", &path, &error))?;
    Ok(base64url(&bytes))
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| {
            group << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for position in 0..=chunk.len() {
            let six = group >> (18 - 6 * position) & 63;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_that_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
        ] {
            assert_eq!(base64url(plain.as_bytes()), coded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(base64url(&[0; 32]).len(), 43);
    }

    /// The secrets of a machine that has these files.
    fn secrets(name: &str, keys: Option<&str>) -> Secrets {
        let folder = std::env::temp_dir().join(format!("connect-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let secrets = Secrets {
            keys: folder.join(".dev.vars"),
            id: folder.join("accounts/id-key.vars"),
        };
        if let Some(keys) = keys {
            fs::write(&secrets.keys, keys).unwrap();
        }
        secrets
    }

    fn kept(secrets: &Secrets) -> Option<String> {
        value(&read(&secrets.id).unwrap(), ID_KEY)
    }

    #[test]
    fn the_id_key_outlives_the_file_it_once_stood_in() {
        let old = "CONNECT_SIGNING_KEYS='[]'\nCONNECT_NODE_KEY=n\nCONNECT_ID_KEY=i";
        let secrets = secrets("migration", Some(old));
        assert!(!secrets.ensure().unwrap());
        assert_eq!(kept(&secrets).as_deref(), Some("i"));
        assert_eq!(
            read(&secrets.keys).unwrap(),
            old,
            "what others may read stays"
        );
        fs::remove_file(&secrets.keys).unwrap();
        assert!(secrets.ensure().unwrap());
        assert_eq!(kept(&secrets).as_deref(), Some("i"));
        assert!(!read(&secrets.keys).unwrap().contains(ID_KEY));
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_there_stays() {
        let secrets = secrets("missing", Some("# mine\nCONNECT_SIGNING_KEYS='[1]'"));
        assert!(!secrets.ensure().unwrap());
        let text = read(&secrets.keys).unwrap();
        assert!(text.starts_with("# mine\nCONNECT_SIGNING_KEYS='[1]'\nCONNECT_NODE_KEY="));
        assert_eq!(secrets.node_key().unwrap().len(), 43);
        secrets.ensure().unwrap();
        assert_eq!(read(&secrets.keys).unwrap(), text, "once is enough");
    }

    #[test]
    fn two_id_keys_are_told_and_neither_is_touched() {
        let secrets = secrets("two", Some("CONNECT_ID_KEY=a\n"));
        append(&secrets.id, "CONNECT_ID_KEY=b\n").unwrap();
        let error = secrets.ensure().unwrap_err().to_string();
        assert!(error.contains("different values"), "{error}");
        assert_eq!(read(&secrets.keys).unwrap(), "CONNECT_ID_KEY=a\n");
        assert_eq!(kept(&secrets).as_deref(), Some("b"));
    }

    #[test]
    fn accounts_whose_key_is_gone_are_told_and_get_no_other() {
        let secrets = secrets("lost", Some("CONNECT_NODE_KEY=n\n"));
        let accounts = secrets.id.with_file_name("v3/do/connect-UserObject");
        fs::create_dir_all(&accounts).unwrap();
        fs::write(accounts.join("metadata.sqlite"), "").unwrap();
        assert_eq!(
            secrets.id_key().unwrap(),
            None,
            "a folder without accounts loses none"
        );
        fs::write(accounts.join("1a2b.sqlite"), "").unwrap();
        for outcome in [secrets.ensure().map(|_| ()), secrets.renew()] {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("cargo xtask reset accounts"), "{error}");
        }
        assert!(!secrets.id.exists());
        assert_eq!(read(&secrets.keys).unwrap(), "CONNECT_NODE_KEY=n\n");
        append(&secrets.keys, "CONNECT_ID_KEY=i\n").unwrap();
        secrets.ensure().unwrap();
        assert_eq!(kept(&secrets).as_deref(), Some("i"), "brought back");
    }

    #[test]
    fn new_keys_leave_the_id_key_and_what_others_wrote() {
        let old = "CONNECT_SIGNING_KEYS='[1]'\nCONNECT_ID_KEY=i\nCONNECT_NODE_KEY=n\nOTHER=o\n";
        let secrets = secrets("renewal", Some(old));
        secrets.renew().unwrap();
        let text = read(&secrets.keys).unwrap();
        assert!(text.starts_with("CONNECT_ID_KEY=i\nOTHER=o\n"), "{text}");
        assert_ne!(secrets.node_key().unwrap(), "n");
        assert_ne!(value(&text, SIGNING_KEYS).as_deref(), Some("[1]"));
        assert_eq!(kept(&secrets).as_deref(), Some("i"));
    }

    #[test]
    fn only_their_owner_reads_them() {
        use std::os::unix::fs::PermissionsExt;
        let secrets = secrets("mode", None);
        secrets.ensure().unwrap();
        for path in [&secrets.keys, &secrets.id] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
}
