//! What the document says of the API for developers.

use protocol::developer::{
    ApiKeyList, ChangeEndpointRequest, ChangeRoomRequest, CreateEndpointRequest, CreateKeyRequest,
    CreateTokenRequest, CreatedKey, Delivery, DeliveryList, Endpoint, EndpointList, EndpointSecret,
    Moderation, OwnRoom, OwnRooms, ParticipantList, RoomToken, SendDataRequest,
};
use protocol::query::OwnRoomsQuery;

use super::description::Caller::{Account, Key};
use super::description::Description;
use crate::problem::Kind;

const TAG: &str = "developer";

pub fn list_keys() -> Description {
    Description::new(TAG, Account, "The account's keys")
        .answers::<ApiKeyList>(200, "Without what they are shown by.")
}

pub fn create_key() -> Description {
    Description::new(TAG, Account, "Make a key")
        .details("At most 20. Who is signed in makes them; a key makes no other.")
        .body::<CreateKeyRequest>()
        .answers::<CreatedKey>(201, "What it is shown by is told now and never again.")
        .refuses(&[Kind::Enough, Kind::Forbidden])
}

pub fn revoke_key() -> Description {
    Description::new(TAG, Account, "Revoke a key")
        .of_id("key", "The key.")
        .answers_nothing("It opens nothing from now on.")
        .refuses(&[Kind::Forbidden])
}

pub fn list_rooms() -> Description {
    Description::new(TAG, Key, "The account's own rooms")
        .details("Scope `rooms:read`.")
        .query::<OwnRoomsQuery>()
        .answers::<OwnRooms>(200, "A page, by id.")
        .refuses(&[Kind::Malformed])
}

pub fn create_room() -> Description {
    Description::new(TAG, Key, "Make a room")
        .details("Scope `rooms:write`.")
        .body::<protocol::api::CreateRoomRequest>()
        .answers::<OwnRoom>(201, "It is the account's.")
        .once()
}

pub fn show_room() -> Description {
    Description::new(TAG, Key, "A room of the account")
        .details(
            "Scope `rooms:read`. Of a room that is another's one hears what one would of none.",
        )
        .of_room()
        .answers::<OwnRoom>(200, "With its settings.")
}

pub fn change_room() -> Description {
    Description::new(TAG, Key, "Change a room's settings")
        .details("Scope `rooms:write`.")
        .of_room()
        .body::<ChangeRoomRequest>()
        .answers::<OwnRoom>(200, "As it is now.")
        .refuses(&[Kind::Forbidden])
}

pub fn delete_room() -> Description {
    Description::new(TAG, Key, "Delete a room")
        .details("Scope `rooms:write`.")
        .of_room()
        .answers_nothing("The room is no more, with all that was in it.")
        .refuses(&[Kind::Forbidden])
}

pub fn list_participants() -> Description {
    Description::new(TAG, Key, "Who is in a room")
        .details("Scope `rooms:read`.")
        .of_room()
        .answers::<ParticipantList>(200, "Who came first is first.")
}

pub fn remove_participant() -> Description {
    Description::new(TAG, Key, "Remove somebody")
        .details("Scope `moderation:write`. They may come again after a while.")
        .of_room()
        .of_id("participant", "Somebody in the room.")
        .answers_nothing("They are out.")
        .refuses(&[Kind::Forbidden])
}

pub fn create_token() -> Description {
    Description::new(TAG, Key, "Let somebody in")
        .details(
            "Scope `tokens:write`. Who shows the token is a guest of this room: as who, and as what, says the token. It stands for an \
             account and for the room's password, where these are asked for; that of a host or a moderator for every other door, too.",
        )
        .of_room()
        .body::<CreateTokenRequest>()
        .answers::<RoomToken>(201, "Good for this room alone.")
        .once()
}

pub fn moderate() -> Description {
    Description::new(TAG, Key, "Keep order")
        .details(
            "Scope `moderation:write`. It is noted in the audit list under the name of the key.",
        )
        .of_room()
        .body::<Moderation>()
        .answers_nothing("It is done.")
        .once()
}

pub fn send_data() -> Description {
    Description::new(TAG, Key, "Say something to the pages of those in a room")
        .details(
            "Scope `data:write`. It is neither numbered nor stored: who is away does not get it.",
        )
        .of_room()
        .body::<SendDataRequest>()
        .answers_nothing("It is on its way.")
        .refuses(&[Kind::Away])
        .once()
}

pub fn list_webhooks() -> Description {
    Description::new(TAG, Key, "The account's webhooks")
        .details("Scope `webhooks:write`.")
        .answers::<EndpointList>(200, "Without their secrets.")
}

pub fn create_webhook() -> Description {
    Description::new(TAG, Key, "Make a webhook")
        .details(
            "Scope `webhooks:write`. At most 10. It goes to a public address by https, signed as Standard Webhooks has it \
             (`webhook-id`, `webhook-timestamp`, `webhook-signature`), and is repeated for a day.",
        )
        .body::<CreateEndpointRequest>()
        .answers::<EndpointSecret>(201, "Its secret is told now and never again.")
        .refuses(&[Kind::Enough])
        .once()
}

pub fn change_webhook() -> Description {
    Description::new(TAG, Key, "Change a webhook, or enable it again")
        .details("Scope `webhooks:write`.")
        .of_id("webhook", "The webhook.")
        .body::<ChangeEndpointRequest>()
        .answers::<Endpoint>(200, "As it is now.")
        .refuses(&[Kind::Forbidden])
}

pub fn delete_webhook() -> Description {
    Description::new(TAG, Key, "Delete a webhook")
        .details("Scope `webhooks:write`.")
        .of_id("webhook", "The webhook.")
        .answers_nothing("Nothing goes there any more.")
        .refuses(&[Kind::Forbidden])
}

pub fn rotate_secret() -> Description {
    Description::new(TAG, Key, "Another secret")
        .details("Scope `webhooks:write`. The former signs beside it for a day.")
        .of_id("webhook", "The webhook.")
        .answers::<EndpointSecret>(200, "Its secret is told now and never again.")
        .refuses(&[Kind::Malformed, Kind::TooLarge, Kind::NotJson])
        .once()
}

pub fn test_webhook() -> Description {
    Description::new(TAG, Key, "Send a test")
        .details("Scope `webhooks:write`.")
        .of_id("webhook", "The webhook.")
        .answers::<Delivery>(202, "It is on its way.")
        .refuses(&[
            Kind::Disabled,
            Kind::Malformed,
            Kind::TooLarge,
            Kind::NotJson,
        ])
        .once()
}

pub fn list_deliveries() -> Description {
    Description::new(TAG, Key, "What was sent")
        .details("Scope `webhooks:write`.")
        .of_id("webhook", "The webhook.")
        .answers::<DeliveryList>(200, "The latest first.")
}
