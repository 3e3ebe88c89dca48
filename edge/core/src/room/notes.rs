//! The shared notes in a room: who reads and who writes them, how often, and who is told.

use protocol::client::{
    ErrorCode, MAX_NOTES_PLACE_BYTES, MAX_NOTES_UPDATE_BYTES, NotesPointer, NotesUpdate,
    ServerMessage,
};

use super::roles::Right;
use super::{Client, Effect, Room, Written};
use crate::nonce;
use crate::notes::rewritten;
use crate::refusal::Refusal;

impl Room {
    /// Everybody in the room reads the notes.
    pub(super) fn opens_notes(
        &mut self,
        client: &Client,
        after: u64,
        author: Option<u32>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(user) = self.user_of(client) else {
            return Ok(());
        };
        self.may_page(&client.participant, now)?;
        let writes = self.require(client, Right::WriteNotes).is_ok();
        out.push(Effect::OpenNotes {
            client: client.clone(),
            user,
            after,
            author,
            writes,
        });
        Ok(())
    }

    pub(super) fn writes_notes(
        &mut self,
        client: &Client,
        nonce: String,
        update: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        nonce::check(&nonce)?;
        let Some(user) = self.user_of(client) else {
            return Ok(());
        };
        self.require(client, Right::WriteNotes)?;
        if update.len().div_ceil(4) * 3 > MAX_NOTES_UPDATE_BYTES {
            let message = "an update of the notes has at most 32 KiB";
            return Err(Refusal::new(ErrorCode::TooLarge, message));
        }
        self.may_note(&client.participant, update.len(), now)?;
        out.push(Effect::WriteNotes {
            client: client.clone(),
            user,
            nonce,
            update,
        });
        Ok(())
    }

    /// An update is stored, or is not.
    pub(super) fn notes_written(
        &mut self,
        client: Client,
        nonce: String,
        update: String,
        written: Result<Written, Refusal>,
        out: &mut Vec<Effect>,
    ) {
        let message = match written {
            Ok(Written { number, is_news }) => {
                if is_news {
                    out.push(Effect::TellNotesReaders {
                        except: client.clone(),
                        message: ServerMessage::NotesWritten(NotesUpdate { number, update }),
                    });
                }
                ServerMessage::NotesTaken { nonce, number }
            }
            Err(refusal) => {
                if refusal == rewritten() {
                    out.push(Effect::TellNotesReaders {
                        except: client.clone(),
                        message: ServerMessage::NotesRewritten,
                    });
                }
                refusal.told(Some("writeNotes".to_owned()), Some(nonce))
            }
        };
        out.push(Effect::Send { client, message });
    }

    /// Tells the readers where this one is.
    pub(super) fn points_in_notes(
        &mut self,
        client: &Client,
        at: Option<String>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if at
            .as_ref()
            .is_some_and(|at| at.len() > MAX_NOTES_PLACE_BYTES)
        {
            let message = "a place in the notes has at most 64 bytes";
            return Err(Refusal::new(ErrorCode::TooLarge, message));
        }
        let participant = client.participant.clone();
        if self.may_point(&participant, now) {
            out.push(Effect::TellNotesReaders {
                except: client.clone(),
                message: ServerMessage::NotesPointer(NotesPointer { participant, at }),
            });
        }
        Ok(())
    }
}
