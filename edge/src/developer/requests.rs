//! Requests that may be sent again: what was answered to which, for a day.

use edge_core::developer::idempotency::{Due, KEPT, REMEMBERED, REQUESTS, Remembered, due};
use edge_core::limits::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::SqlStorageValue;

use super::DeveloperObject;
use crate::problem::{Outcome, Refusal};
use crate::{crypto, rate};

/// How many that are a day old are forgotten with each new one.
const FORGOTTEN: i64 = 20;
/// The rate of requests that are remembered.
const RATE: &str = "idempotency";

/// A request that has a key of its own.
#[derive(Serialize, Deserialize)]
pub struct Asked {
    /// By which key to the API it came.
    pub who: String,
    pub key: String,
    /// SHA-256 of all that it is.
    pub fingerprint: String,
}

/// What is to be done about it.
#[derive(Serialize, Deserialize)]
pub enum Began {
    /// All, out of this seed; then it is finished.
    Do { seed: u64 },
    /// Nothing: it had this answer.
    Answer { status: u16, body: String },
}

/// What it was answered, if that is to be remembered.
#[derive(Serialize, Deserialize)]
pub struct Answered {
    pub asked: Asked,
    pub answer: Option<(u16, String)>,
}

impl DeveloperObject {
    pub(super) fn begin(&self, asked: Asked, now: u64) -> Outcome<Value> {
        let former: Option<Remembered> = self.store.get_readable(key(&asked))?;
        // Of 53 bits, which pass through every number on the way.
        let fresh = u64::from_le_bytes(crypto::random()?) >> 11;
        let began = match due(former.as_ref(), &asked.fingerprint, fresh, now) {
            Due::Answer { status, body } => Began::Answer { status, body },
            Due::Wait => return Err(Refusal::under_way()),
            Due::Refuse => return Err(Refusal::reused_key()),
            Due::Do { seed } => {
                let policy = Policy::new(RATE, REMEMBERED);
                rate::take(&self.store, RATE, &policy, now)?;
                self.forget_old(now)?;
                let Asked {
                    who,
                    key,
                    fingerprint,
                } = asked;
                self.store.put(
                    &REQUESTS,
                    &Remembered {
                        who,
                        key,
                        fingerprint,
                        seed,
                        at: now,
                        status: None,
                        body: None,
                    },
                )?;
                Began::Do { seed }
            }
        };
        Ok(json!(began))
    }

    /// What was refused is done anew when it is asked for again.
    pub(super) fn finish(&self, Answered { asked, answer }: Answered) -> Outcome<Value> {
        let Some((status, body)) = answer else {
            self.store.delete(key(&asked))?;
            return Ok(Value::Null);
        };
        let former: Option<Remembered> = self.store.get_readable(key(&asked))?;
        if let Some(former) = former {
            self.store.put(
                &REQUESTS,
                &Remembered {
                    status: Some(status),
                    body: Some(body),
                    ..former
                },
            )?;
        }
        Ok(Value::Null)
    }

    fn forget_old(&self, now: u64) -> Outcome<()> {
        let old = "WHERE at < ? ORDER BY at LIMIT ?";
        let values = vec![
            SqlStorageValue::Integer(now.saturating_sub(KEPT) as i64),
            SqlStorageValue::Integer(FORGOTTEN),
        ];
        for old in self.store.some::<Remembered>(&REQUESTS, old, values)? {
            let Remembered { who, key, .. } = old;
            self.store
                .delete(REQUESTS.key([who.as_str().into(), key.as_str().into()]))?;
        }
        Ok(())
    }
}

fn key(asked: &Asked) -> edge_core::table::Key {
    REQUESTS.key([asked.who.as_str().into(), asked.key.as_str().into()])
}
