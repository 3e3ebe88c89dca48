//! The OpenAPI document, made of the table of routes, the kinds of problems and the wire types (decision 0034):
//! `UPDATE_OPENAPI=1 cargo test -p edge-core openapi` writes it, and the plain test fails when the file is stale.

mod account;
mod accounts;
mod description;
mod developer;
mod document;
mod documents;
mod nodes;
mod rooms;
mod sso;

use description::Description;

use crate::routes::Operation;

/// What is said of an operation. There is none without a description.
fn describe(operation: Operation) -> Description {
    match operation {
        Operation::Register => accounts::register(),
        Operation::Login => accounts::login(),
        Operation::Refresh => accounts::refresh(),
        Operation::Logout => accounts::logout(),
        Operation::Me => accounts::me(),
        Operation::GetSignInWays => sso::ways(),
        Operation::StartSignOn => sso::start(),
        Operation::FinishSignOn => sso::finish(),
        Operation::AskToReset => account::ask_to_reset(),
        Operation::Reset => account::reset(),
        Operation::Verify => account::verify(),
        Operation::GetAccount => account::details(),
        Operation::ListSessions => account::sessions(),
        Operation::EndOtherSessions => account::end_others(),
        Operation::EndSession => account::end_session(),
        Operation::ChangePassword => account::change_password(),
        Operation::AskToVerify => account::ask_to_verify(),
        Operation::ExportAccount => account::export(),
        Operation::DeleteAccount => account::delete(),
        Operation::Jwks => accounts::jwks(),
        Operation::GetOpenapi => documents::openapi(),
        Operation::ListRooms => rooms::list(),
        Operation::CreateRoom => rooms::create(),
        Operation::CreateRoomByAlias => rooms::create_by_alias(),
        Operation::GetRoom => rooms::show(),
        Operation::DeleteRoom => rooms::delete(),
        Operation::GetAudit => rooms::audit(),
        Operation::GetDoor => rooms::door(),
        Operation::ComeAsGuest => rooms::come_as_guest(),
        Operation::JoinRoom => rooms::join(),
        Operation::TellJoin => rooms::tell_join(),
        Operation::ConnectRoom => rooms::connect(),
        Operation::ExportChat => rooms::export_chat(),
        Operation::ExportNotes => rooms::export_notes(),
        Operation::GetIceServers => rooms::ice_servers(),
        Operation::SearchDirectory => rooms::search(),
        Operation::ListKeys => developer::list_keys(),
        Operation::CreateKey => developer::create_key(),
        Operation::RevokeKey => developer::revoke_key(),
        Operation::ListOwnRooms => developer::list_rooms(),
        Operation::CreateOwnRoom => developer::create_room(),
        Operation::GetOwnRoom => developer::show_room(),
        Operation::ChangeOwnRoom => developer::change_room(),
        Operation::DeleteOwnRoom => developer::delete_room(),
        Operation::ListParticipants => developer::list_participants(),
        Operation::RemoveParticipant => developer::remove_participant(),
        Operation::CreateToken => developer::create_token(),
        Operation::ModerateRoom => developer::moderate(),
        Operation::SendData => developer::send_data(),
        Operation::ListWebhooks => developer::list_webhooks(),
        Operation::CreateWebhook => developer::create_webhook(),
        Operation::ChangeWebhook => developer::change_webhook(),
        Operation::DeleteWebhook => developer::delete_webhook(),
        Operation::RotateWebhookSecret => developer::rotate_secret(),
        Operation::TestWebhook => developer::test_webhook(),
        Operation::ListDeliveries => developer::list_deliveries(),
        Operation::ConnectNode => nodes::connect(),
        Operation::ConnectNodeToRoom => nodes::connect_to_room(),
    }
}

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../web/app/public/api/openapi.json"
);

#[test]
fn the_openapi_document_is_fresh() {
    let fresh = format!("{:#}\n", document::document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        let folder = std::path::Path::new(PATH).parent().expect("has a parent");
        std::fs::create_dir_all(folder).expect("folder can be made");
        std::fs::write(PATH, &fresh).expect("file can be written");
    }
    let current = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        current == fresh,
        "web/app/public/api/openapi.json is stale; run: UPDATE_OPENAPI=1 cargo test -p edge-core openapi"
    );
}
