//! Single sign-on: the addresses that a browser goes to.

use protocol::api::SignInWays;
use protocol::query::{SignOnQuery, SignedOnQuery};

use super::description::Caller::Anybody;
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "accounts";

pub fn ways() -> Description {
    Description::new(
        TAG,
        Anybody,
        "How one may sign in, beside address and password",
    )
    .answers::<SignInWays>(200, "The providers of single sign-on.")
}

pub fn start() -> Description {
    Description::new(TAG, Anybody, "Go to a provider, to sign in there")
        .details("For browsers: what it answers is a way, not data.")
        .parameter::<String>("provider", "The provider's id.")
        .query::<SignOnQuery>()
        .redirects("To the provider; or to `/login?failed=REASON&return=PATH`.")
        .header("Set-Cookie", "What is under way, in `__Host-connect_sso`.")
        .refuses(&[Kind::NotFound, Kind::Malformed, Kind::Invalid])
}

pub fn finish() -> Description {
    Description::new(TAG, Anybody, "Come back from a provider")
        .details("The address that is registered at the provider. Nobody but the browser that went there gets anything by it.")
        .parameter::<String>("provider", "The provider's id.")
        .query::<SignedOnQuery>()
        .redirects("Signed in, to where one wanted to be; or to `/login?failed=REASON&return=PATH`.")
        .header("Set-Cookie", "The cookies of a sign-in, and `__Host-connect_sso` cleared.")
        .refuses(&[Kind::NotFound])
}
