//! The TypeScript of the wire types, made from the Rust: `UPDATE_TYPESCRIPT=1 cargo test -p protocol` writes it, and the
//! plain test fails when the file in the web SDK is stale.

use ts_rs::{Config, TS};

use crate::{api, client, developer, id, joining, media};

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../web/sdk/src/generated/protocol.ts"
);

macro_rules! declarations {
    ($config:expr, $($type:ty),* $(,)?) => {
        [$(<$type as TS>::decl($config)),*]
    };
}

fn generate() -> String {
    let config = Config::new();
    let mut out = String::from(
        "// The wire types of Connect, generated from the `protocol` crate. Do not edit:\n\
         // UPDATE_TYPESCRIPT=1 cargo test -p protocol\n",
    );
    for declaration in declarations!(
        &config,
        id::RoomId,
        id::UserId,
        id::ParticipantId,
        id::PollId,
        id::BreakoutId,
        id::NodeId,
        id::Region,
        id::Attempt,
        media::Source,
        media::MediaKind,
        media::Codec,
        media::TrackId,
        media::Publishing,
        media::Caps,
        api::RegisterRequest,
        api::LoginRequest,
        api::RefreshRequest,
        api::User,
        api::Session,
        api::SignIn,
        api::SignInList,
        api::PasswordChange,
        api::ResetRequest,
        api::NewPassword,
        api::Verification,
        api::AccountDeletion,
        api::AccountDetails,
        api::Visited,
        api::AccountExport,
        api::SignInWays,
        api::SignInProvider,
        api::CreateRoomRequest,
        api::Room,
        api::RoomDetails,
        api::RoomList,
        api::ListedRoom,
        api::DirectoryPage,
        api::Door,
        api::GuestRequest,
        api::GuestSession,
        api::JoinRequest,
        joining::JoinReport,
        joining::JoinOutcome,
        joining::JoinSteps,
        api::ChatExport,
        api::JoinResponse,
        api::IceServers,
        api::IceServer,
        developer::KeyScope,
        developer::ApiKey,
        developer::ApiKeyList,
        developer::CreateKeyRequest,
        developer::CreatedKey,
        developer::OwnRooms,
        developer::OwnRoom,
        developer::ChangeRoomRequest,
        developer::ParticipantList,
        developer::CreateTokenRequest,
        developer::RoomToken,
        developer::Moderation,
        developer::SendDataRequest,
        developer::EventKind,
        developer::Endpoint,
        developer::EndpointList,
        developer::CreateEndpointRequest,
        developer::ChangeEndpointRequest,
        developer::EndpointSecret,
        developer::DeliveryList,
        developer::Delivery,
        developer::DeliveryState,
        developer::WebhookMessage,
        developer::WebhookData,
        developer::WebhookRoom,
        developer::WebhookParticipant,
        api::Problem,
        api::FieldError,
        client::Knock,
        client::Banned,
        client::ClientMessage,
        client::SourceMid,
        client::IceCredentials,
        client::Offer,
        client::ServerMessage,
        client::Snapshot,
        client::Participant,
        client::Connection,
        client::Role,
        client::Settings,
        client::SettingsChange,
        client::CapsChange,
        client::AuditPage,
        client::AuditEntry,
        client::Noted,
        client::Wish,
        client::NotedPerson,
        client::Deed,
        client::MuteAll,
        client::RoomKind,
        client::Audience,
        client::ChatMessage,
        client::Poll,
        client::PollDraft,
        client::BreakoutAssignment,
        client::BreakoutDraft,
        client::BreakoutAssigned,
        client::Breakouts,
        client::Breakout,
        client::BreakoutPlace,
        client::PollShows,
        client::PollResults,
        client::OwnVote,
        client::NamedVote,
        client::Mention,
        client::ChatReaction,
        client::ReactionCount,
        client::ChatPage,
        client::Reaction,
        client::NotesPage,
        client::NotesUpdate,
        client::NotesPointer,
        client::RoomEvent,
        client::LeaveReason,
        client::CloseReason,
        client::ErrorCode,
        client::ClientMediaMessage,
        client::CaptionLine,
        client::CaptionRefusal,
        client::Caption,
        client::Tile,
        client::NodeMediaMessage,
        client::SlotAssignment,
        client::SourceDemand,
        client::Quality,
        client::PathQuality,
        client::ParticipantQuality,
    ) {
        out.push_str("\nexport ");
        out.push_str(&declaration);
        out.push('\n');
    }
    out.push('\n');
    for (name, value) in [
        ("MAX_CHAT_BYTES", client::MAX_CHAT_BYTES),
        ("MAX_DATA_BYTES", developer::MAX_DATA_BYTES),
        ("MAX_CHAT_DAYS", client::MAX_CHAT_DAYS as usize),
        ("MAX_CHAT_LINES", client::MAX_CHAT_LINES as usize),
        ("MAX_QUESTION_BYTES", client::MAX_QUESTION_BYTES),
        ("MAX_OPTION_BYTES", client::MAX_OPTION_BYTES),
        ("MAX_POLL_OPTIONS", client::MAX_POLL_OPTIONS),
        ("MAX_CAPTION_BYTES", client::MAX_CAPTION_BYTES),
        ("MAX_LANGUAGE_BYTES", client::MAX_LANGUAGE_BYTES),
        ("MAX_NOTES_UPDATE_BYTES", client::MAX_NOTES_UPDATE_BYTES),
        ("MAX_BREAKOUTS", client::MAX_BREAKOUTS),
        ("MAX_BREAKOUT_NAME_BYTES", client::MAX_BREAKOUT_NAME_BYTES),
        (
            "MAX_BREAKOUT_SECONDS",
            client::MAX_BREAKOUT_SECONDS as usize,
        ),
        ("REMOVAL_SECONDS", client::REMOVAL_SECONDS as usize),
        ("RETURN_SECONDS", client::RETURN_SECONDS as usize),
    ] {
        out.push_str(&format!("export const {name} = {value};\n"));
    }
    let settings = serde_json::to_string(&client::Settings::default()).expect("it is JSON");
    out.push_str(&format!(
        "/** How a room is set unless it says otherwise. */\nexport const DEFAULT_SETTINGS: Settings = {settings};\n"
    ));
    out
}

#[test]
fn the_generated_typescript_is_fresh() {
    let fresh = generate();
    if std::env::var_os("UPDATE_TYPESCRIPT").is_some() {
        let folder = std::path::Path::new(PATH).parent().expect("has a parent");
        std::fs::create_dir_all(folder).expect("folder can be made");
        std::fs::write(PATH, &fresh).expect("file can be written");
    }
    let current = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        current == fresh,
        "web/sdk/src/generated/protocol.ts is stale; run: UPDATE_TYPESCRIPT=1 cargo test -p protocol"
    );
}
