//! `cargo xtask dev --lan`: HTTPS for phones and other devices beside this machine, as browsers give camera and microphone
//! to no page without it. The certificate is made here and signed by nobody.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::log;
use crate::process::Child;
use crate::progress::{Outcome, Progress, Step};
use crate::{apt, paths, setup};

/// How many steps [`Door::open`] takes.
pub const STEPS: usize = 1;
/// How many days a certificate is good for: more than 397 no browser takes.
const DAYS: &str = "397";
/// A certificate that has less than a day left is made anew.
const A_DAY: &str = "86400";

/// What other devices come in by.
pub struct Door {
    child: Child,
    log: PathBuf,
    url: String,
}

impl Door {
    /// Opens it at an address of this machine, in front of the Worker at a port of loopback.
    pub fn open(address: IpAddr, port: u16, worker: u16, progress: &Progress) -> Result<Self> {
        let mut files = None;
        progress.step("certificate", |step| {
            let (made, outcome) = certificate(step, address)?;
            files = Some(made);
            Ok(outcome)
        })?;
        let Some((key, cert)) = files else {
            return Err(Failure::new("no certificate was made", ""));
        };
        let log = paths::log("https");
        let mut command = Command::new("node");
        command
            .arg("--no-warnings")
            .arg(paths::root().join("xtask/src/https.ts"))
            .args(["--address", &address.to_string()])
            .args(["--port", &port.to_string()])
            .args(["--to", &worker.to_string()])
            .arg("--key")
            .arg(key)
            .arg("--cert")
            .arg(cert)
            .env("PATH", paths::path_with_npm());
        log::redirect(&mut command, &log)?;
        let host = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Ok(Self {
            child: Child::start(&mut command)?,
            log,
            url: format!("https://{host}:{port}"),
        })
    }

    /// The address for other devices.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Fails once it is shut.
    pub fn tend(&mut self) -> Result<()> {
        match self.child.ended() {
            None => Ok(()),
            Some(status) => Err(Failure::new(
                format!(
                    "what serves other devices ended ({status}):\n\n{}\n",
                    log::tail(&self.log, 10)
                ),
                format!("the whole log is in {}", self.log.display()),
            )),
        }
    }
}

/// The key and the certificate for an address, kept until it expires: a device that was told to trust it still does.
fn certificate(step: &Step, address: IpAddr) -> Result<((PathBuf, PathBuf), Outcome)> {
    let folder = paths::local().join("https");
    let file = |kind| folder.join(format!("{address}.{kind}.pem").replace(':', "-"));
    let (key, cert) = (file("key"), file("cert"));
    if paths::find("openssl").is_none() {
        apt::install(step, &["openssl"])?;
    }
    if key.exists() && is_good(&cert) {
        return Ok(((key, cert), Outcome::UpToDate));
    }
    let settings = folder.join("openssl.cnf");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&settings, extensions(address)))
        .map_err(|error| Failure::file("write", &settings, &error))?;
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-sha256"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-days", DAYS, "-subj", "/CN=Connect in development"])
        .arg("-config")
        .arg(&settings)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert);
    step.run(&mut openssl, "openssl")?;
    Ok(((key, cert), Outcome::Done))
}

fn is_good(cert: &Path) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-checkend", A_DAY, "-noout", "-in"]);
    setup::quiet(openssl.arg(cert).stdin(Stdio::null()))
}

/// For this one server: who trusts the certificate trusts nothing else that its key signs.
fn extensions(address: IpAddr) -> String {
    format!(
        "[req]\ndistinguished_name = name\nx509_extensions = extensions\n[name]\n[extensions]\n\
         basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n\
         extendedKeyUsage = serverAuth\nsubjectAltName = IP:{address}, DNS:localhost\n"
    )
}
