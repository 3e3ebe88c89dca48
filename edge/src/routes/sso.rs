//! Single sign-on: the way to a provider and back.

use edge_core::oidc::{ATTEMPT, Attempt, Failure, Provider, back};
use protocol::api::{SignInProvider, SignInWays, User};
use protocol::query::SignedOnQuery;
use worker::{Env, Request, Response};

use super::{Answer, accounts, now};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::user::{Grant, Identity};
use crate::{config, cookie, crypto, http, oidc, rpc, tally};

/// How one may sign in here.
pub(super) fn ways(env: &Env) -> Answer {
    let providers = oidc::providers(env)?.into_iter();
    let ways = SignInWays {
        providers: providers
            .map(|Provider { id, name, .. }| SignInProvider { id, name })
            .collect(),
    };
    Ok(Response::from_json(&ways)?)
}

/// Sends a browser to the provider.
pub(super) async fn start(request: Request, env: &Env, id: &str) -> Answer {
    let provider = provider(env, id)?;
    let asked = http::parameter(&request, "return")?;
    let asked = asked.as_deref().unwrap_or("/");
    let Some(path) = back(asked) else {
        return Err(Refusal::invalid_field(
            "return",
            "is no address of this site",
        ));
    };
    let attempt = Attempt {
        provider: provider.id.clone(),
        state: crypto::secret()?,
        nonce: crypto::secret()?,
        verifier: crypto::secret()?,
        back: path.to_owned(),
        until: now() + ATTEMPT,
    };
    let redirect = redirect_uri(&request, env, &provider)?;
    match oidc::authorization(&provider, &attempt, &redirect).await {
        Ok(url) => cookie::set_attempt(see_other(&url)?, env, &attempt),
        Err(failure) => failed(env, failure, path),
    }
}

/// Takes a browser back from the provider, signed in or told why not.
pub(super) async fn callback(request: Request, env: &Env, id: &str) -> Answer {
    let provider = provider(env, id)?;
    let attempt = cookie::attempt(&request, env)?;
    let path = attempt
        .as_ref()
        .map_or("/", |attempt| &attempt.back)
        .to_owned();
    let answer = match finish(&request, env, &provider, attempt).await {
        Ok(grant) => {
            // No device's cookie: there is no password to be guessed, and the one that there is came from another page.
            cookie::set_refresh(see_other(&path)?, &grant.refresh)?
        }
        Err(Unfinished::Failed(failure)) => failed(env, failure, &path)?,
        Err(Unfinished::Refused(refusal)) => return Err(refusal),
    };
    Ok(cookie::clear_attempt(answer)?)
}

/// Why a sign-in came to nothing.
enum Unfinished {
    Failed(Failure),
    /// As other requests are refused, or by a fault of ours.
    Refused(Refusal),
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<E: Into<Refusal>> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

async fn finish(
    request: &Request,
    env: &Env,
    provider: &Provider,
    attempt: Option<Attempt>,
) -> Result<Grant, Unfinished> {
    let answer = SignedOnQuery {
        code: http::parameter(request, "code")?,
        state: http::parameter(request, "state")?,
        error: http::parameter(request, "error")?,
        iss: http::parameter(request, "iss")?,
    };
    let attempt = attempt.ok_or(Failure::Expired)?;
    let code = attempt.accept(provider, answer, crypto::is_same, now())?;
    // Taken before the provider is asked, as one that fails.
    let limiter = Limiter::of(request, env, Deed::SignIn)?;
    limiter
        .take()
        .await
        .map_err(|refusal| match refusal.problem.status {
            429 => Unfinished::Failed(Failure::TooMany),
            _ => Unfinished::Refused(refusal),
        })?;
    let redirect = redirect_uri(request, env, provider)?;
    let token = oidc::identify(provider, &attempt, &code, &redirect).await?;
    let person = token.identified()?;
    let id = config::user_id(env, &provider.account(&person.subject))?;
    let identity = Identity {
        user: User {
            id: id.clone(),
            email: person.email,
            name: person.name,
        },
        verified: person.verified,
        role: provider.role(&token.0),
        until: now() + provider.session(),
        browser: accounts::browser(request)?,
    };
    let grant = rpc::call(&config::user(env, &id)?, "signInBy", &identity).await?;
    limiter.give_back().await?;
    Ok(grant)
}

fn provider(env: &Env, id: &str) -> Outcome<Provider> {
    let mut providers = oidc::providers(env)?.into_iter();
    let none = || Refusal::not_found("this installation knows no such way to sign in");
    providers
        .find(|provider| provider.id == id)
        .ok_or_else(none)
}

/// The address that the provider sends the browser back to. It is registered there, to the letter.
fn redirect_uri(request: &Request, env: &Env, provider: &Provider) -> Outcome<String> {
    let origin = match config::public_url(env) {
        Some(url) => url,
        None => http::origin(request)?,
    };
    let id = &provider.id;
    Ok(format!("{origin}/api/auth/sso/{id}/callback"))
}

/// Leads a browser on that has been at a provider.
fn see_other(to: &str) -> worker::Result<Response> {
    let response = Response::empty()?.with_status(303);
    response.headers().set("location", to)?;
    Ok(response)
}

/// Back to the page to sign in, which has words for what happened and ways on.
fn failed(env: &Env, failure: Failure, path: &str) -> Answer {
    tally::refused(env, &format!("sso-{}", failure.name()));
    let why = oidc::query(&[("failed", failure.name()), ("return", path)]);
    Ok(see_other(&format!("/login?{why}"))?)
}
