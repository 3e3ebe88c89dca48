//! Accounts: signing up, in and out, and who one is.

use edge_core::account;
use edge_core::token::{ACCESS_SECONDS, AccessClaims};
use protocol::api::{LoginRequest, RegisterRequest, Session, User};
use worker::{Env, Request, Response};

use super::{Answer, authenticate, now};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::user::{Grant, Login, Refresh, Register};
use crate::{config, crypto, http, jwt, rpc, tally};

pub(super) async fn register(mut request: Request, env: &Env) -> Answer {
    let body: RegisterRequest = http::json(&mut request).await?;
    let account = account::check_registration(&body).map_err(Refusal::invalid)?;
    Limiter::of(&request, env, Deed::Register)?.take().await?;
    let id = config::user_id(env, &account.email)?;
    let user = User {
        id,
        email: account.email,
        name: account.name,
    };
    let object = config::user(env, &user.id)?;
    let register = Register {
        user,
        password: body.password,
    };
    session(env, rpc::call(&object, "register", &register).await?, 201)
}

pub(super) async fn login(mut request: Request, env: &Env) -> Answer {
    let body: LoginRequest = http::json(&mut request).await?;
    // What cannot be an address is of an unknown account; it shares one object, and the same work is done.
    let email = account::normalize_email(&body.email).unwrap_or_default();
    // Taken before the password is looked at, so that sign-ins side by side are no way around the limit.
    let limiter = Limiter::of(&request, env, Deed::SignIn)?;
    limiter.take().await?;
    let id = config::user_id(env, &email)?;
    let login = Login {
        password: body.password.chars().take(256).collect(),
    };
    let grant = rpc::call(&config::user(env, &id)?, "login", &login).await?;
    limiter.give_back().await?;
    session(env, grant, 200)
}

/// The account's Durable Object and what to present to it, out of the refresh cookie: `user.family.secret`.
fn presented(request: &Request, env: &Env) -> Outcome<Option<(worker::Stub, Refresh)>> {
    let Some(cookie) = http::refresh_cookie(request)? else {
        return Ok(None);
    };
    let mut parts = cookie.splitn(3, '.');
    let (Some(user), Some(family), Some(secret)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let Ok(user) = user.parse() else {
        return Ok(None);
    };
    let refresh = Refresh {
        family: family.to_owned(),
        hash: crypto::sha256(secret),
    };
    Ok(Some((config::user(env, &user)?, refresh)))
}

pub(super) async fn refresh(request: Request, env: &Env) -> Answer {
    // A first visit asks, too: that nobody is signed in is an answer, and no error.
    if http::refresh_cookie(&request)?.is_none() {
        return Ok(Response::empty()?.with_status(204));
    }
    let Some((object, refresh)) = presented(&request, env)? else {
        return Err(Refusal::unauthenticated(
            "the refresh token is malformed: sign in",
        ));
    };
    match rpc::call(&object, "refresh", &refresh).await {
        Ok(grant) => session(env, grant, 200),
        Err(refusal) if refusal.problem.status == 401 => {
            tally::refused(env, refusal.kind());
            Ok(http::clear_cookie(refusal.into_response()?)?)
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn logout(request: Request, env: &Env) -> Answer {
    if let Some((object, refresh)) = presented(&request, env)? {
        let () = rpc::call(&object, "logout", &refresh).await?;
    }
    Ok(http::clear_cookie(Response::empty()?.with_status(204))?)
}

pub(super) async fn me(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env)?;
    let user: User = rpc::call(&config::user(env, &claims.sub)?, "me", &()).await?;
    Ok(Response::from_json(&user)?)
}

/// The session that a grant of the account's Durable Object stands for.
fn session(env: &Env, grant: Grant, status: u16) -> Answer {
    let claims = AccessClaims::new(grant.user.id.clone(), grant.user.name.clone(), now());
    let session = Session {
        token: jwt::sign(env, &claims)?,
        expires_in: ACCESS_SECONDS,
        user: grant.user,
    };
    let response = Response::from_json(&session)?.with_status(status);
    Ok(http::set_cookie(response, &grant.refresh)?)
}
