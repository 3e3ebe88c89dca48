//! The key that account ids come from must never be another one by accident: nobody would find their account again, and everybody
//! could sign up anew in its place. What it is, is remembered (a fingerprint of it), and compared before an address is looked up.

use std::cell::Cell;

use edge_core::table::{Table, text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{Env, console_error};

use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, rpc};

/// What the first key of an installation was known by.
pub const FINGERPRINTS: Table = Table {
    name: "fingerprints",
    tag: "",
    since: 2,
    columns: &[text("fingerprint")],
    indexes: &[],
};

/// The fingerprint of a key, by which nobody finds the key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub fingerprint: String,
}

thread_local! {
    static KNOWN: Cell<bool> = const { Cell::new(false) };
}

/// Refuses to go on with another key than the one that accounts were made under.
pub async fn check(env: &Env) -> Outcome<()> {
    if KNOWN.get() {
        return Ok(());
    }
    let fingerprint = crypto::hex(&config::signature(env, "the fingerprint of this key")?);
    let own = Fingerprint { fingerprint };
    let is_known: bool = rpc::call(&config::key_keeper(env)?, "isKey", &own).await?;
    if !is_known {
        let fault = "CONNECT_ID_KEY is not the key that the accounts here were made under: bring that one back";
        console_error!("{}", json!({ "fault": fault }));
        return Err(Refusal::internal());
    }
    KNOWN.set(true);
    Ok(())
}
