//! Rooms, and the way into a call.

use protocol::api::{
    ChatExport, CreateRoomRequest, DirectoryPage, Door, GuestRequest, GuestSession, IceServers,
    JoinRequest, JoinResponse, Room, RoomDetails, RoomList,
};
use protocol::client::AuditPage;
use protocol::joining::JoinReport;
use protocol::query::{AuditQuery, ChatExportQuery, ConnectQuery, DirectoryQuery, IceServersQuery};

use super::description::Caller::{Account, AccountOrGuest, Anybody};
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "rooms";

pub fn list() -> Description {
    let summary = "One's own and recently visited rooms, the latest first";
    Description::new(TAG, Account, summary).answers::<RoomList>(200, "The rooms.")
}

pub fn create() -> Description {
    Description::new(TAG, Account, "Make a room")
        .body::<CreateRoomRequest>()
        .answers::<Room>(200, "The room.")
        .refuses(&[Kind::Forbidden])
}

pub fn create_by_alias() -> Description {
    Description {
        summary: "The same as POST /api/rooms",
        ..create()
    }
}

pub fn show() -> Description {
    Description::new(TAG, AccountOrGuest, "A room")
        .of_room()
        .answers::<RoomDetails>(
            200,
            "The room, and as how many participants the caller is in it.",
        )
        .refuses(&[Kind::Guest])
}

pub fn delete() -> Description {
    let summary = "End a room for everybody, with its chat; its owner may";
    Description::new(TAG, Account, summary)
        .of_room()
        .answers_nothing("The room is gone.")
        .refuses(&[Kind::Forbidden])
}

pub fn audit() -> Description {
    let summary =
        "What the host and moderators have done in a room, the latest first; its host may";
    Description::new(TAG, Account, summary)
        .of_room()
        .query::<AuditQuery>()
        .answers::<AuditPage>(
            200,
            "A page of at most 50 deeds. A room keeps 10,000; the oldest go.",
        )
        .refuses(&[Kind::Forbidden, Kind::Invalid])
}

pub fn door() -> Description {
    let summary = "What everybody may know of a room who has its link";
    Description::new(TAG, Anybody, summary)
        .of_room()
        .answers::<Door>(200, "Its name, and how one comes in.")
}

pub fn tell_join() -> Description {
    let summary = "Tell what a join has come to, once";
    Description::new(TAG, AccountOrGuest, summary)
        .details(
            "Counted by its outcome; its steps become spans of the join's trace, where that is exported. Nobody has to tell.",
        )
        .of_room_by_name()
        .body::<JoinReport>()
        .answers_nothing("It is taken.")
        .refuses(&[Kind::Guest])
}

pub fn come_as_guest() -> Description {
    Description::new(TAG, Anybody, "Come to a room without an account")
        .details(
            "The token is good for looking at this room, joining it and the ICE servers, and for nothing else (`/problems/guest`); it is \
             not renewed. The cookie makes a browser the same guest of the room when it comes again.",
        )
        .of_room()
        .body::<GuestRequest>()
        .answers::<GuestSession>(201, "A guest, who may join.")
        .header("Set-Cookie", "By what the browser is the same guest, in `__Host-connect_guest`.")
        .refuses(&[Kind::NoGuests, Kind::Forbidden])
}

pub fn join() -> Description {
    Description::new(TAG, AccountOrGuest, "Get a ticket for the room's WebSocket")
        .details(
            "For who is refused nothing else is done. Who keeps order, and who is in the room already, is past every door but \
             `lobby-full`, `too-often-here`, `banned` and `removed`. Where there is a lobby, the ticket leads to it.",
        )
        .of_room()
        .optional_body::<JoinRequest>()
        .answers::<JoinResponse>(
            200,
            "The ticket admits a WebSocket within 60 seconds, and again if its welcome was lost.",
        )
        .refuses(&[
            Kind::Banned,
            Kind::Busy,
            Kind::Forbidden,
            Kind::Guest,
            Kind::LobbyFull,
            Kind::NoGuests,
            Kind::NotOpenYet,
            Kind::Removed,
            Kind::RoomFull,
            Kind::RoomLocked,
            Kind::RoomPasswordNeeded,
            Kind::TooOftenHere,
            Kind::WrongRoomPassword,
        ])
}

pub fn connect() -> Description {
    Description::new(TAG, Anybody, "The room's WebSocket")
        .details(
            "With `ticket`, or with `resume` and `since` to go on after a loss. Who was admitted and got no welcome shows the same \
             again.",
        )
        .of_room()
        .query::<ConnectQuery>()
        .answers_websocket("Messages follow.")
        .refuses(&[
            Kind::Malformed,
            Kind::BadTicket,
            Kind::BadResumeToken,
            Kind::TooOftenHere,
        ])
}

pub fn export_chat() -> Description {
    let summary = "The chat as its host takes it along, a part at a time";
    Description::new(TAG, Account, summary)
        .details("At most 500 lines, without what is private between others. Ask for the next part with `after`, until there is no `next`.")
        .of_room()
        .query::<ChatExportQuery>()
        .answers::<ChatExport>(200, "Lines, the oldest first.")
        .refuses(&[Kind::Forbidden, Kind::Malformed])
}

pub fn export_notes() -> Description {
    Description::new(
        TAG,
        Account,
        "The shared notes as text, for the room's host",
    )
    .of_room()
    .answers_text("The notes as they are now; nothing where nobody has written any.")
    .refuses(&[Kind::Forbidden])
}

pub fn ice_servers() -> Description {
    let summary = "STUN and TURN servers, to be asked for ahead of a join";
    Description::new(TAG, AccountOrGuest, summary)
        .details(
            "Asked again in a call before `expiresIn` seconds are over. `probes` has a media node of each region, by which a client \
             measures the way there: what it measured is told as `roundTrips` at the join.",
        )
        .query::<IceServersQuery>()
        .answers::<IceServers>(200, "As RTCConfiguration takes them. Credentials are good for two hours.")
        .refuses(&[Kind::Malformed, Kind::NotFound])
}

pub fn search() -> Description {
    Description::new(TAG, Account, "Listed rooms, by name")
        .details("Those in whose name, for each word of `q`, a word begins with it; case and accents make no difference. A count may be seconds old.")
        .query::<DirectoryQuery>()
        .answers::<DirectoryPage>(200, "A page.")
        .refuses(&[Kind::Malformed])
}
