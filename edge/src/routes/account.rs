//! What the holder of an account asks and decides about it.

use edge_core::directory::SHARDS;
use edge_core::password;
use edge_core::session::Bearer;
use edge_core::token::Scope;
use futures_util::future::join_all;
use protocol::api::{
    AccountDeletion, AccountDetails, AccountExport, PasswordChange, Room, SignInList,
};
use worker::{Env, Request, Response};

use super::{Answer, authenticate, live};
use crate::problem::{Outcome, Refusal};
use crate::user::{ChangePassword, Deletion};
use crate::{config, cookie, http, mail, rpc};

pub(super) async fn details(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let details: AccountDetails = live(env, claims, "details").await?;
    Ok(Response::from_json(&details)?)
}

pub(super) async fn sessions(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let sessions: SignInList = live(env, claims, "sessions").await?;
    Ok(Response::from_json(&sessions)?)
}

pub(super) async fn end_session(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let object = config::user(env, &claims.sub)?;
    let () = rpc::call(&object, "endSession", &(Bearer::from(claims), id)).await?;
    done()
}

pub(super) async fn end_others(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let () = live(env, claims, "endOthers").await?;
    done()
}

pub(super) async fn change_password(mut request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let body: PasswordChange = http::json(&mut request).await?;
    let new_password = chosen(&body.new_password, "newPassword")?;
    let object = config::user(env, &claims.sub)?;
    let change = ChangePassword {
        bearer: claims.into(),
        password: password::presented(&body.password),
        new_password,
    };
    let () = rpc::call(&object, "changePassword", &change).await?;
    done()
}

/// A password that somebody chooses, in the form that is hashed.
pub(super) fn chosen(typed: &str, field: &str) -> Outcome<String> {
    let prepared = password::prepare(typed);
    match password::check(&prepared) {
        Ok(()) => Ok(prepared),
        Err(message) => Err(Refusal::invalid_field(field, message)),
    }
}

pub(super) async fn ask_to_verify(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    if !mail::is_sent(env) {
        return Err(Refusal::no_mail());
    }
    let () = live(env, claims, "askToVerify").await?;
    done()
}

pub(super) async fn export(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let user = claims.sub.clone();
    let mut export: AccountExport = live(env, claims, "export").await?;
    let shards = (0..SHARDS).map(|shard| {
        let user = &user;
        async move { rpc::call::<Vec<Room>>(&config::shard(env, shard)?, "owned", user).await }
    });
    for rooms in join_all(shards).await {
        export.rooms.extend(rooms?);
    }
    Ok(Response::from_json(&export)?)
}

/// Signed out here, too.
pub(super) async fn delete(mut request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let body: AccountDeletion = http::json(&mut request).await?;
    let object = config::user(env, &claims.sub)?;
    let deletion = Deletion {
        bearer: claims.into(),
        password: password::presented(&body.password),
    };
    let () = rpc::call(&object, "deletion", &deletion).await?;
    Ok(cookie::clear_refresh(Response::empty()?.with_status(204))?)
}

fn done() -> Answer {
    Ok(Response::empty()?.with_status(204))
}
