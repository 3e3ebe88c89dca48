//! Requests that make something: done once for each `Idempotency-Key`, and answered the same again for a day.

use edge_core::developer::idempotency::is_key;
use worker::{Env, Request, Response};

use super::{Answer, Caller};
use crate::developer::{Answered, Asked, Began};
use crate::problem::{Outcome, Refusal};
use crate::rpc::Passed;
use crate::{config, crypto, http, rpc};

/// What whoever does the work answers: a status, and the body, if there is one.
pub type Done = Outcome<(u16, Option<Passed>)>;

/// A request that is to be done.
pub struct Job {
    /// Its body, not read yet.
    pub body: String,
    /// What is made is made out of this: the same if it has to be done once more.
    pub seed: u64,
    /// What it is remembered by, if it is.
    asked: Option<Asked>,
}

/// What is to be done about a request.
pub enum Begun {
    Job(Job),
    /// It was done before.
    Answered(Response),
}

/// Takes up a request, unless it was done for the same key before.
pub async fn begin(request: &mut Request, env: &Env, caller: &Caller) -> Outcome<Begun> {
    let body = http::text(request).await?;
    let Some(key) = request.headers().get("idempotency-key")? else {
        let seed = u64::from_le_bytes(crypto::random()?) >> 11;
        let asked = None;
        return Ok(Begun::Job(Job { body, seed, asked }));
    };
    if !is_key(&key) {
        return Err(Refusal::malformed(
            "an Idempotency-Key has 1 to 128 visible characters of ASCII",
        ));
    }
    let method = request.inner().method();
    let asked = Asked {
        who: caller.key.clone(),
        key,
        fingerprint: crypto::sha256(&format!("{method} {}\n{body}", request.path())),
    };
    let object = config::developer(env, &caller.account)?;
    Ok(match rpc::call(&object, "begin", &asked).await? {
        Began::Answer { status, body } => Begun::Answered(respond(status, body)?),
        Began::Do { seed } => Begun::Job(Job {
            body,
            seed,
            asked: Some(asked),
        }),
    })
}

/// Answers, and has the answer remembered.
pub async fn end(env: &Env, caller: &Caller, asked: Option<Asked>, done: Done) -> Answer {
    let text = |body: &Option<Passed>| body.as_ref().map_or("", |body| body.get()).to_owned();
    // Of what failed by a fault of ours some may be done. It stays under way for a while, and is done again out of the same seed.
    let is_known = !done
        .as_ref()
        .is_err_and(|refusal| refusal.problem.status >= 500);
    if let Some(asked) = asked.filter(|_| is_known) {
        let answer = done.as_ref().ok();
        let answered = Answered {
            asked,
            answer: answer.map(|(status, body)| (*status, text(body))),
        };
        let object = config::developer(env, &caller.account)?;
        let () = rpc::call(&object, "finish", &answered).await?;
    }
    let (status, body) = done?;
    respond(status, text(&body))
}

impl Job {
    /// What is to be done, and what it is remembered by.
    pub fn parts(self) -> (String, u64, Option<Asked>) {
        (self.body, self.seed, self.asked)
    }
}

fn respond(status: u16, body: String) -> Answer {
    if status == 204 {
        return Ok(Response::empty()?.with_status(status));
    }
    let response = Response::from_bytes(body.into_bytes())?.with_status(status);
    response.headers().set("content-type", "application/json")?;
    Ok(response)
}
