//! What the holder of an account asks and decides about it, and the links in mails.

use protocol::api::{
    AccountDeletion, AccountDetails, AccountExport, NewPassword, PasswordChange, ResetRequest,
    SignInList, Verification,
};

use super::description::Caller::{Account, Anybody};
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "accounts";

pub fn ask_to_reset() -> Description {
    Description::new(TAG, Anybody, "Have a mail sent that leads to a new password")
        .details(
            "The answer is the same for every address, and as soon there. The link is good for half an hour, once, and until another \
             one is asked for. Limited by address, and for an account without a word.",
        )
        .body::<ResetRequest>()
        .answers_nothing("If there is such an account, a mail is on its way.")
        .refuses(&[Kind::Forbidden, Kind::NoMail])
}

pub fn reset() -> Description {
    Description::new(TAG, Anybody, "Choose a new password by the token of a mail")
        .details("Ends all sessions, confirms the address, and forgets what strangers guessed.")
        .body::<NewPassword>()
        .answers_nothing("The password is another one.")
        .refuses(&[Kind::Forbidden, Kind::BadLink, Kind::Busy])
}

pub fn verify() -> Description {
    Description::new(
        TAG,
        Anybody,
        "Confirm an e-mail address by the token of a mail",
    )
    .details("It is good for a day, once.")
    .body::<Verification>()
    .answers_nothing("The address is confirmed.")
    .refuses(&[Kind::Forbidden, Kind::BadLink])
}

pub fn details() -> Description {
    let summary = "The account, with what its holder alone is told";
    Description::new(TAG, Account, summary).answers::<AccountDetails>(200, "The account.")
}

pub fn sessions() -> Description {
    let summary = "Where the account is signed in, the latest used first";
    Description::new(TAG, Account, summary).answers::<SignInList>(200, "The sessions.")
}

pub fn end_others() -> Description {
    Description::new(TAG, Account, "End all sessions but the one of this token")
        .details(
            "Their refresh tokens are void at once, and so are their access tokens wherever the account is asked: everywhere but for the \
             search of the directory, the ICE servers, and calls that are open.",
        )
        .answers_nothing("They are over.")
        .refuses(&[Kind::Forbidden])
}

pub fn end_session() -> Description {
    Description::new(TAG, Account, "End a session of the account")
        .parameter::<String>("session", "The session.")
        .answers_nothing("It is over.")
        .refuses(&[Kind::Forbidden, Kind::NotFound])
}

pub fn change_password() -> Description {
    Description::new(TAG, Account, "Change the password")
        .details("Asks for the one of now, and ends all other sessions.")
        .body::<PasswordChange>()
        .answers_nothing("The password is another one.")
        .refuses(&[
            Kind::Forbidden,
            Kind::WrongPassword,
            Kind::NotFresh,
            Kind::Busy,
        ])
}

pub fn ask_to_verify() -> Description {
    Description::new(TAG, Account, "Have a mail sent that confirms the address")
        .details("One is sent by itself when an account is made.")
        .answers_nothing("A mail is on its way, unless the address is confirmed.")
        .refuses(&[Kind::Forbidden, Kind::NoMail])
}

pub fn export() -> Description {
    let summary = "All that is stored of the account, but for what was said in rooms";
    Description::new(TAG, Account, summary).answers::<AccountExport>(200, "The data.")
}

pub fn delete() -> Description {
    Description::new(TAG, Account, "Delete the account")
        .details(
            "Asks for the password, or for a sign-in of the last ten minutes where there is none. Its tokens are void at once, and the \
             address is free again, for somebody else with another id. Its rooms are passed on to the moderator who has been one for \
             longest, or deleted; what was written in rooms of others stays, without a name.",
        )
        .optional_body::<AccountDeletion>()
        .answers_nothing("The account is no more.")
        .header("Set-Cookie", "Clears `__Host-connect_refresh`.")
        .refuses(&[Kind::Forbidden, Kind::WrongPassword, Kind::NotFresh, Kind::Busy])
}
