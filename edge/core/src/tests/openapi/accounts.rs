//! Accounts, and the keys by which their tokens can be verified.

use protocol::api::{LoginRequest, RefreshRequest, RegisterRequest, Session, User};
use serde_json::Value;

use super::description::Caller::{Account, Anybody, Cookie};
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "accounts";
const COOKIES: &str = "The refresh token in `__Host-connect_refresh`, and what the browser is known by in `__Host-connect_device`.";

pub fn register() -> Description {
    Description::new(TAG, Anybody, "Make an account, and sign in")
        .body::<RegisterRequest>()
        .answers::<Session>(201, "Signed in.")
        .header("Set-Cookie", COOKIES)
        .refuses(&[Kind::AddressTaken, Kind::Forbidden, Kind::Busy])
}

pub fn login() -> Description {
    Description::new(TAG, Anybody, "Sign in")
        .details(
            "A wrong password and an unknown address get the same answer. Address and password count in one form, whichever way a \
             keyboard writes them. Failed sign-ins are limited; those of a browser that has signed in to the account before, as the \
             cookie `__Host-connect_device` tells, apart from all others.",
        )
        .body::<LoginRequest>()
        .answers::<Session>(200, "Signed in.")
        .header("Set-Cookie", COOKIES)
        .refuses(&[Kind::WrongCredentials, Kind::Forbidden, Kind::Busy])
}

pub fn refresh() -> Description {
    Description::new(TAG, Cookie, "Exchange the refresh token for a new session")
        .details(
            "The cookie is replaced. The former one is answered for 30 seconds with the same successor; after that, or when it is \
             older still, it revokes all that came from the same sign-in. From pages of the same origin alone.",
        )
        .optional_body::<RefreshRequest>()
        .answers::<Session>(200, "Still signed in.")
        .header("Set-Cookie", COOKIES)
        .answers_nothing("Nobody is signed in.")
        .refuses(&[Kind::Unauthenticated, Kind::OtherAccount])
}

pub fn logout() -> Description {
    Description::new(TAG, Cookie, "Sign out on this browser")
        .details("From pages of the same origin alone.")
        .optional_body::<RefreshRequest>()
        .answers_nothing("The refresh token is void, and its cookie cleared.")
        .header("Set-Cookie", "Clears `__Host-connect_refresh`.")
        .refuses(&[Kind::OtherAccount])
}

pub fn me() -> Description {
    Description::new(TAG, Account, "The account of the token").answers::<User>(200, "The account.")
}

pub fn jwks() -> Description {
    Description::new(TAG, Anybody, "The public keys of access tokens (RFC 7517)")
        .answers::<Value>(200, "A key set: Ed25519 keys with ids.")
}
