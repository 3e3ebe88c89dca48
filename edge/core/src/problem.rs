//! The kinds of problems: each way in which the HTTP API refuses a request (RFC 9457), in one table.

macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident: $status:literal $name:literal $title:literal),+ $(,)?) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $kind),+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The last part of the problem's type: what it is counted by.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),+
                }
            }

            /// What it is called to people.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title),+
                }
            }

            /// The HTTP status of an answer of this kind.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$kind => $status),+
                }
            }
        }
    };
}

problems! {
    /// The request is not of the form that it must have.
    Malformed: 400 "malformed" "The request cannot be read",
    /// The same for a wrong password and an unknown address.
    WrongCredentials: 401 "wrong-credentials" "Wrong e-mail address or password",
    /// A token is missing or not good.
    Unauthenticated: 401 "unauthenticated" "Not signed in",
    /// Known, and not allowed.
    Forbidden: 403 "forbidden" "Not allowed",
    /// A guest's token, where an account is needed or another room is meant.
    Guest: 403 "guest" "Not for guests",
    /// The password that is asked for beside a session. No 401, as the session is good.
    WrongPassword: 403 "wrong-password" "Wrong password",
    /// The account has no password to ask for.
    NotFresh: 403 "not-fresh" "Sign in again",
    /// The installation asks for it.
    Unverified: 403 "unverified" "The address is not confirmed",
    /// The same for whatever is wrong with it.
    BadLink: 403 "bad-link" "The link is not good",
    /// The room has a password, and none was shown.
    RoomPasswordNeeded: 403 "room-password-needed" "A password is needed",
    WrongRoomPassword: 403 "wrong-room-password" "Wrong password",
    Removed: 403 "removed" "You were removed from this room",
    NoGuests: 403 "no-guests" "An account is needed here",
    Banned: 403 "banned" "You were banned from this room",
    RoomLocked: 403 "room-locked" "The room is locked",
    NotOpenYet: 403 "not-open-yet" "The room is not open yet",
    RoomFull: 403 "room-full" "The room is full",
    TooOftenHere: 403 "too-often-here" "You are in this room already",
    LobbyFull: 403 "lobby-full" "Too many people wait",
    BadTicket: 403 "bad-ticket" "The ticket does not admit",
    BadResumeToken: 403 "bad-resume-token" "The token does not admit",
    /// The key is good, and not for this.
    OutOfScope: 403 "out-of-scope" "Not what this key is for",
    NotFound: 404 "not-found" "There is no such thing",
    /// The address takes other methods, which the header `Allow` names.
    MethodNotAllowed: 405 "method-not-allowed" "Not possible here",
    /// There is an account with this address.
    AddressTaken: 409 "address-taken" "The e-mail address is taken",
    /// The cookie is of another account than the page takes it for.
    OtherAccount: 409 "other-account" "Another account is signed in",
    /// There are as many of this kind as there may be.
    Enough: 409 "enough" "There are enough of them",
    /// The first request with this `Idempotency-Key` has no answer yet.
    UnderWay: 409 "under-way" "Not done yet",
    /// Nothing is sent there.
    Disabled: 409 "disabled" "It is disabled",
    /// They have no connection just now.
    Away: 409 "away" "Away for a moment",
    StaleEpoch: 409 "stale-epoch" "The placement is over",
    /// There was a room with this id.
    RoomRetired: 410 "room-retired" "The room was retired",
    TooLarge: 413 "too-large" "The body is too large",
    /// A form of a foreign page sends what is not JSON, and no page may send JSON elsewhere unasked.
    NotJson: 415 "not-json" "The body is not JSON",
    /// These fields are at fault.
    Invalid: 422 "invalid" "A field is not acceptable",
    /// An `Idempotency-Key` names one request.
    KeyReused: 422 "key-reused" "The key is another request's",
    /// Here is a WebSocket only (RFC 9110, 15.5.22).
    UpgradeRequired: 426 "upgrade-required" "A WebSocket is needed",
    TooManyAttempts: 429 "too-many-attempts" "Too many attempts",
    /// More passwords are to be hashed than can be just now.
    Busy: 503 "busy" "Too much to do",
    /// What happened is in the log, not in the answer.
    Internal: 500 "internal" "Something went wrong",
    /// The same for everybody.
    NoMail: 503 "no-mail" "No mail is sent here",
}
