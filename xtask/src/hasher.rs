//! The process that hashes passwords beside the Worker: started, and started again when it dies.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::log;
use crate::process::{self, Child};
use crate::{build, paths, secrets};

/// The program.
pub const PROGRAM: &str = "hasher";
/// The pause before it is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The hasher, and what the Worker has to know of it.
pub struct Hasher {
    program: PathBuf,
    address: SocketAddr,
    key: String,
    log: PathBuf,
    child: Option<Child>,
    /// When it may be started again.
    again: Instant,
}

impl Hasher {
    /// Starts it at a port of this machine, with a key of its own, and waits until it listens.
    pub fn start(port: u16, profile: build::Profile) -> Result<Self> {
        let mut hasher = Self {
            program: build::program(PROGRAM, profile),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            key: secrets::random_key()?,
            log: paths::log(PROGRAM),
            child: None,
            again: Instant::now(),
        };
        hasher.launch()?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(hasher.address).is_err() {
            process::check_interrupted()?;
            let ended = hasher.child.as_mut().and_then(Child::ended);
            if ended.is_some() || Instant::now() > deadline {
                return Err(Failure::new(
                    format!(
                        "the hasher does not listen:\n\n{}\n",
                        log::tail(&hasher.log, 20)
                    ),
                    format!("the whole log is in {}", hasher.log.display()),
                ));
            }
            process::tick();
        }
        Ok(hasher)
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .env("CONNECT_HASHER_LISTEN", self.address.to_string())
            .env("CONNECT_HASHER_KEY", &self.key);
        log::redirect(&mut command, &self.log)?;
        self.child = Some(Child::start(&mut command)?);
        Ok(())
    }

    /// Starts it again if it has died; meanwhile the Worker tells people to come back in a moment.
    pub fn tend(&mut self) -> Result<()> {
        if let Some(status) = self.child.as_mut().and_then(Child::ended) {
            println!("The hasher ended: {status}; starting it again");
            self.child = None;
            self.again = Instant::now() + PAUSE;
        }
        if self.child.is_none() && Instant::now() > self.again {
            self.launch()?;
        }
        Ok(())
    }

    /// Its process, to be ended.
    pub fn into_child(self) -> Option<Child> {
        self.child
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that the Worker shows it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the Worker has to know, as lines of a file of variables.
    pub fn variables(&self) -> String {
        format!(
            "CONNECT_HASHER=http://{}/\nCONNECT_HASHER_KEY={}\n",
            self.address, self.key
        )
    }
}

/// Writes a file anew that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let _ = fs::remove_file(path);
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
        })
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::file("write", path, &error))
}
