//! Links in mails: asked for by who cannot sign in, and opened by who got one.

use edge_core::email::normalize_email;
use edge_core::mail::Token;
use protocol::api::{NewPassword, ResetRequest, Verification};
use serde_json::json;
use worker::{Context, Env, Request, Response, console_error};

use super::Answer;
use super::account::chosen;
use super::accounts::former_account;
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::user::Reset;
use crate::{config, http, id_key, mail, rpc};

/// The answer is the same for every address, and as soon there: the account is looked for afterwards.
pub(super) async fn ask_to_reset(mut request: Request, env: &Env, context: &Context) -> Answer {
    let body: ResetRequest = http::json(&mut request).await?;
    Limiter::of(&request, env, Deed::Mail)?.take().await?;
    if !mail::is_sent(env) {
        return Err(Refusal::no_mail());
    }
    let env = env.clone();
    context.wait_until(async move {
        if let Err(refusal) = write_to(&env, &body.email).await {
            let fault = "whether a mail is to be sent was not found out";
            console_error!("{}", json!({ "fault": fault, "why": refusal.kind() }));
        }
    });
    Ok(Response::empty()?.with_status(204))
}

async fn write_to(env: &Env, typed: &str) -> Outcome<()> {
    let Some(email) = normalize_email(typed) else {
        return Ok(());
    };
    id_key::check(env).await?;
    let id = match former_account(env, typed).await? {
        Some(former) => former,
        None => config::user_id(env, &email)?,
    };
    rpc::call(&config::user(env, &id)?, "askToReset", &()).await
}

pub(super) async fn reset(mut request: Request, env: &Env) -> Answer {
    let body: NewPassword = http::json(&mut request).await?;
    let password = chosen(&body.password, "password")?;
    opened(&request, env, &body.token, |signature| {
        let reset = Reset {
            signature,
            password,
        };
        ("reset", json!(reset))
    })
    .await
}

pub(super) async fn verify(mut request: Request, env: &Env) -> Answer {
    let body: Verification = http::json(&mut request).await?;
    opened(&request, env, &body.token, |signature| {
        ("verify", json!(signature))
    })
    .await
}

/// Does by a link what it is for. Who tries links that are not good is limited as who fails to sign in.
async fn opened(
    request: &Request,
    env: &Env,
    token: &str,
    deed: impl FnOnce(String) -> (&'static str, serde_json::Value),
) -> Answer {
    let limiter = Limiter::of(request, env, Deed::SignIn)?;
    limiter.take().await?;
    let Token { user, signature } = Token::parse(token).ok_or_else(Refusal::bad_link)?;
    let (operation, body) = deed(signature);
    let done: Outcome<()> = rpc::call(&config::user(env, &user)?, operation, &body).await;
    if done.as_ref().err().is_none_or(Refusal::is_busy) {
        limiter.give_back().await?;
    }
    done?;
    Ok(Response::empty()?.with_status(204))
}
