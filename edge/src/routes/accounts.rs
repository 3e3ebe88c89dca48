//! Accounts: signing up, in and out, and who one is.

use edge_core::email::{former_email, normalize_email};
use edge_core::token::{ACCESS_SECONDS, AccessClaims, Scope};
use edge_core::{account, browser, password};
use protocol::api::{LoginRequest, RefreshRequest, RegisterRequest, Session, User};
use protocol::id::UserId;
use worker::{Env, Request, Response};

use super::{Answer, authenticate, live, now};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::user::{Grant, Login, Refresh, Register};
use crate::{config, cookie, http, id_key, jwt, mail, rpc, tally};

pub(super) async fn register(mut request: Request, env: &Env) -> Answer {
    let body: RegisterRequest = http::json(&mut request).await?;
    let account = account::check_registration(&body).map_err(Refusal::invalid)?;
    Limiter::of(&request, env, Deed::Register)?.take().await?;
    id_key::check(env).await?;
    if former_account(env, &body.email).await?.is_some() {
        return Err(Refusal::taken());
    }
    let user = User {
        id: config::user_id(env, &account.email)?,
        email: account.email,
        name: account.name,
    };
    let object = config::user(env, &user.id)?;
    // Who signs up with many addresses has few of them written to.
    let may_mail = match mail::is_sent(env) {
        true => Limiter::of(&request, env, Deed::Mail)?.take().await.is_ok(),
        false => false,
    };
    let register = Register {
        user,
        password: account.password,
        browser: browser(&request)?,
        verify: may_mail,
    };
    let grant = rpc::call(&object, "register", &register).await?;
    signed_in(&request, env, grant, 201)
}

/// The account that was registered in the former form of this address, if there is one.
pub(super) async fn former_account(env: &Env, typed: &str) -> Outcome<Option<UserId>> {
    let Some(email) = former_email(typed) else {
        return Ok(None);
    };
    let id = config::user_id(env, &email)?;
    let exists: bool = rpc::call(&config::user(env, &id)?, "exists", &()).await?;
    Ok(exists.then_some(id))
}

pub(super) async fn login(mut request: Request, env: &Env) -> Answer {
    let body: LoginRequest = http::json(&mut request).await?;
    // What cannot be an address is of an unknown account; it shares one object, and the same work is done.
    let today = config::user_id(env, &normalize_email(&body.email).unwrap_or_default())?;
    let first = match former_email(&body.email) {
        Some(email) => config::user_id(env, &email)?,
        None => today.clone(),
    };
    // Taken before any account is asked, of which each way to write an address may be one, and before the password is looked
    // at, so that sign-ins side by side are no way around the limit. A browser that is known has a limit of its own, wherever
    // it is.
    let limiter = match cookie::device(&request, env, &first)? {
        Some(_) => None,
        None => Some(Limiter::of(&request, env, Deed::SignIn)?),
    };
    if let Some(limiter) = &limiter {
        limiter.take().await?;
    }
    id_key::check(env).await?;
    let id = former_account(env, &body.email).await?.unwrap_or(today);
    let login = Login {
        password: password::presented(&body.password),
        typed: body.password.chars().take(256).collect(),
        device: cookie::device(&request, env, &id)?,
        browser: browser(&request)?,
    };
    let grant: Outcome<Grant> = rpc::call(&config::user(env, &id)?, "login", &login).await;
    if let Some(limiter) = &limiter
        && grant.as_ref().err().is_none_or(Refusal::is_busy)
    {
        limiter.give_back().await?;
    }
    signed_in(&request, env, grant?, 200)
}

/// What the refresh cookie holds: `user.family.secret`.
struct Held {
    user: UserId,
    refresh: Refresh,
}

impl Held {
    fn parse(cookie: &str) -> Outcome<Self> {
        let malformed = || Refusal::unauthenticated("the refresh token is malformed: sign in");
        let mut parts = cookie.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(malformed);
        Ok(Self {
            user: part()?.parse().map_err(|_| malformed())?,
            refresh: Refresh {
                family: part()?.to_owned(),
                secret: part()?.to_owned(),
            },
        })
    }

    /// Refuses to act for somebody else than the page that asks takes it for.
    fn meant(self, request: &RefreshRequest) -> Outcome<Self> {
        match &request.user {
            Some(user) if *user != self.user => Err(Refusal::other_account()),
            _ => Ok(self),
        }
    }
}

pub(super) async fn refresh(mut request: Request, env: &Env) -> Answer {
    // A first visit asks, too: that nobody is signed in is an answer, and no error.
    let Some(cookie) = cookie::refresh(&request, env)? else {
        return Ok(Response::empty()?.with_status(204));
    };
    let body: RefreshRequest = http::json(&mut request).await?;
    let refreshed = match Held::parse(&cookie).and_then(|held| held.meant(&body)) {
        Ok(Held { user, refresh }) => {
            rpc::call(&config::user(env, &user)?, "refresh", &refresh).await
        }
        Err(refusal) => Err(refusal),
    };
    match refreshed {
        Ok(grant) => still_signed_in(&request, env, grant),
        Err(refusal) if refusal.problem.status == 401 => {
            tally::refused(env, refusal.kind());
            Ok(cookie::clear_refresh(refusal.into_response()?)?)
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn logout(mut request: Request, env: &Env) -> Answer {
    let cookie = cookie::refresh(&request, env)?;
    let body: RefreshRequest = http::json(&mut request).await?;
    // What is malformed signs nobody in: it is cleared like the rest.
    if let Some(held) = cookie.and_then(|cookie| Held::parse(&cookie).ok()) {
        let Held { user, refresh } = held.meant(&body)?;
        let () = rpc::call(&config::user(env, &user)?, "logout", &refresh).await?;
    }
    Ok(cookie::clear_refresh(Response::empty()?.with_status(204))?)
}

pub(super) async fn me(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let user: User = live(env, claims, "me").await?;
    Ok(Response::from_json(&user)?)
}

/// From what somebody signs in, in coarse words.
pub(super) fn browser(request: &Request) -> Outcome<String> {
    let says = request.headers().get("user-agent")?;
    Ok(browser::words(&says.unwrap_or_default()))
}

/// The session of somebody who has shown the password, or just chosen it.
fn signed_in(request: &Request, env: &Env, grant: Grant, status: u16) -> Answer {
    let user = grant.user.id.clone();
    cookie::set_device(session(env, grant, status)?, request, env, &user)
}

/// The session of whoever holds a refresh token.
fn still_signed_in(request: &Request, env: &Env, grant: Grant) -> Answer {
    let user = grant.user.id.clone();
    cookie::renew_device(session(env, grant, 200)?, request, env, &user)
}

/// The session that a grant of the account's Durable Object stands for.
fn session(env: &Env, grant: Grant, status: u16) -> Answer {
    let claims = AccessClaims::new(grant.user.id.clone(), grant.user.name.clone(), now());
    let mut claims = claims.of_session(grant.session);
    claims.role = grant.role;
    let session = Session {
        token: jwt::sign(env, &claims)?,
        expires_in: ACCESS_SECONDS,
        user: grant.user,
    };
    let response = Response::from_json(&session)?.with_status(status);
    Ok(cookie::set_refresh(response, &grant.refresh)?)
}
