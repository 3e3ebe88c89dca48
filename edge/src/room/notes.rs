//! The shared notes of a room as they are stored: a table of their updates by number, of which the first may be many in one,
//! and a table of their authors. Yjs itself reads and joins them (`notes/book.js`).

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge_core::notes::{Facts, Kept, MOST_COUNTED, MOST_PIECES, Verdict, judge, rewritten};
use edge_core::refusal::Refusal;
use edge_core::room::Written;
use protocol::client::{ErrorCode, NotesPage};
use protocol::id::UserId;
use serde::Deserialize;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{Error, Result, SqlStorageValue};

use crate::store::Store;

/// `work` is what the update and all before it cost ([`Kept`]).
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS notes (
        number INTEGER PRIMARY KEY,
        work INTEGER NOT NULL,
        value TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS note_authors (
        author INTEGER PRIMARY KEY AUTOINCREMENT,
        user TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS note_authors_by_user ON note_authors (user);
";

/// How many authors are remembered. One who is not begins anew, and what they have not sent yet is lost.
const AUTHORS: i64 = 10_000;
/// Whose the text of an edition is that others write in. No user is named so.
const NOBODY: &str = "";
/// After so many numbers for authors the oldest of them are forgotten.
const FORGET_EVERY: u32 = 100;

/// What Yjs comes to, or what it throws.
type Read<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen(module = "/src/room/notes/book.js")]
extern "C" {
    type Book;
    // What throws and is not caught leaves WebAssembly at once, and with it whatever was borrowed.
    #[wasm_bindgen(constructor, catch)]
    fn new() -> Read<Book>;
    #[wasm_bindgen(method, catch)]
    fn load(this: &Book, update: &[u8]) -> Read<()>;
    #[wasm_bindgen(method, catch)]
    fn apply(this: &Book, update: &[u8]) -> Read<()>;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Book, update: &[u8], most_pieces: u32, most_steps: u32) -> Read<String>;
    #[wasm_bindgen(method, catch)]
    fn state(this: &Book) -> Read<Vec<u8>>;
    #[wasm_bindgen(method, catch)]
    fn text(this: &Book) -> Read<String>;
    #[wasm_bindgen(method, catch)]
    fn rewritten(this: &Book, author: u32) -> Read<Vec<u8>>;
}

/// The notes of a room. They are read when somebody writes or takes them along.
pub(super) struct Notes {
    store: Rc<Store>,
    open: RefCell<Option<Open>>,
}

/// The notes as they are in memory.
struct Open {
    book: Book,
    kept: Kept,
}

#[derive(Deserialize)]
struct Row {
    number: u64,
    work: u64,
    value: String,
}

#[derive(Deserialize)]
struct Author {
    author: u32,
}

impl Notes {
    pub(super) fn new(store: Rc<Store>) -> Self {
        Self {
            store,
            open: RefCell::new(None),
        }
    }

    /// What came after this number, and whom the user writes as: this author if that is theirs, or else a new one. Who may not
    /// write is remembered as none before their first words.
    pub(super) fn page(
        &self,
        user: &UserId,
        after: u64,
        author: Option<u32>,
        writes: bool,
    ) -> Result<NotesPage> {
        self.store.prepare()?;
        let rows = self.after(after)?;
        let number = match rows.last() {
            Some(row) => row.number,
            None => self.latest()?,
        };
        Ok(NotesPage {
            edition: self.edition()?,
            author: self.author(user, author, writes)?,
            number,
            updates: rows.into_iter().map(|row| row.value).collect(),
        })
    }

    /// Stores an update of this author, who is this user, if it is taken.
    pub(super) fn write(
        &self,
        user: &UserId,
        author: u32,
        update: &str,
    ) -> Result<std::result::Result<Written, Refusal>> {
        let Ok(bytes) = STANDARD.decode(update) else {
            let message = "an update of the notes is in base64";
            return Ok(Err(Refusal::malformed(message)));
        };
        let mut open = self.open()?;
        let Open { book, kept } = &mut *open;
        let facts: Option<Facts> = book
            .read(&bytes, MOST_PIECES, MOST_COUNTED)
            .ok()
            .and_then(|facts| serde_json::from_str(&facts).ok())
            .flatten();
        let work = match judge(facts.as_ref(), author, bytes.len(), kept) {
            Ok(Verdict::New { work }) => work,
            Ok(Verdict::Known) => {
                let (number, is_news) = (kept.latest, false);
                return Ok(Ok(Written { number, is_news }));
            }
            Err(refused) => {
                let text = book.text().map_err(unreadable)?;
                if refused.code != ErrorCode::NotesFull || !kept.is_worn(text.len()) {
                    return Ok(Err(refused));
                }
                let latest = kept.latest;
                drop(open);
                self.rewrite(latest + 1)?;
                return Ok(Err(rewritten()));
            }
        };
        kept.take(bytes.len(), work);
        let Ok(joined) = taken(book, &bytes, kept) else {
            // It may have been taken in part: the notes are read anew when they are needed.
            drop(open);
            self.open.take();
            let message = "an update that cannot be taken";
            return Ok(Err(Refusal::malformed(message)));
        };
        self.remember(user, author)?;
        if let Some(joined) = joined {
            kept.join(joined.len());
            self.store.write("DELETE FROM notes", Vec::new())?;
            self.put(kept, &STANDARD.encode(joined))?;
        } else {
            self.put(kept, update)?;
        }
        let (number, is_news) = (kept.latest, true);
        Ok(Ok(Written { number, is_news }))
    }

    /// Keeps the text alone, under this number. It is another edition then: of the former, nobody is an author any more.
    fn rewrite(&self, number: u64) -> Result<()> {
        self.store.write("DELETE FROM note_authors", Vec::new())?;
        let author = self.new_author(NOBODY)?;
        let text = self.open()?.book.rewritten(author).map_err(unreadable)?;
        self.open.take();
        self.store.write("DELETE FROM notes", Vec::new())?;
        let kept = Kept {
            latest: number,
            ..Kept::default()
        };
        self.put(&kept, &STANDARD.encode(text))
    }

    /// Which edition this is: whose the text is that all others have written in, 0 in the first.
    fn edition(&self) -> Result<u32> {
        let select = "SELECT author FROM note_authors WHERE user = ?";
        let rows: Vec<Author> = self.store.rows(select, vec![NOBODY.into()])?;
        Ok(rows.first().map_or(0, |edition| edition.author))
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> Result<String> {
        if !self.store.exists()? {
            return Ok(String::new());
        }
        self.open()?.book.text().map_err(unreadable)
    }

    /// What one user has written is another's from now on.
    pub(super) fn inherit(&self, from: &UserId, to: &UserId) -> Result<()> {
        if !self.store.exists()? {
            return Ok(());
        }
        let values = vec![to.as_str().into(), from.as_str().into()];
        let update = "UPDATE note_authors SET user = ? WHERE user = ?";
        self.store.write(update, values)
    }

    /// To be told when all of it was deleted.
    pub(super) fn forgotten(&self) {
        self.open.take();
    }

    fn put(&self, kept: &Kept, value: &str) -> Result<()> {
        let values = vec![
            SqlStorageValue::Integer(kept.latest as i64),
            SqlStorageValue::Integer(kept.work as i64),
            value.into(),
        ];
        let insert = "INSERT INTO notes (number, work, value) VALUES (?, ?, ?)";
        self.store.write(insert, values)
    }

    fn after(&self, number: u64) -> Result<Vec<Row>> {
        // A number that SQLite takes.
        let number = SqlStorageValue::Integer(number.min(u32::MAX.into()) as i64);
        let select = "SELECT number, work, value FROM notes WHERE number > ? ORDER BY number";
        self.store.rows(select, vec![number])
    }

    fn latest(&self) -> Result<u64> {
        #[derive(Deserialize)]
        struct Latest {
            number: Option<u64>,
        }
        let select = "SELECT max(number) AS number FROM notes";
        let rows: Vec<Latest> = self.store.rows(select, Vec::new())?;
        Ok(rows.first().and_then(|latest| latest.number).unwrap_or(0))
    }

    fn author(&self, user: &UserId, claimed: Option<u32>, writes: bool) -> Result<u32> {
        if let Some(author) = claimed {
            let values = vec![
                SqlStorageValue::Integer(author.into()),
                user.as_str().into(),
            ];
            let select = "SELECT author FROM note_authors WHERE author = ? AND user = ?";
            if !self.store.rows::<Author>(select, values)?.is_empty() {
                return Ok(author);
            }
        }
        let author = self.new_author(user.as_str())?;
        if !writes {
            // The number is not given again.
            let value = SqlStorageValue::Integer(author.into());
            let delete = "DELETE FROM note_authors WHERE author = ?";
            self.store.write(delete, vec![value])?;
        }
        if author % FORGET_EVERY == 0 {
            let delete = "DELETE FROM note_authors WHERE user <> ? AND author <=
                (SELECT author FROM note_authors ORDER BY author DESC LIMIT 1 OFFSET ?)";
            let values = vec![NOBODY.into(), SqlStorageValue::Integer(AUTHORS)];
            self.store.write(delete, values)?;
        }
        Ok(author)
    }

    fn new_author(&self, user: &str) -> Result<u32> {
        let insert = "INSERT INTO note_authors (user) VALUES (?)";
        self.store.write(insert, vec![user.into()])?;
        let select = "SELECT max(author) AS author FROM note_authors";
        let rows: Vec<Author> = self.store.rows(select, Vec::new())?;
        let author = rows.first().map(|row| row.author);
        author.ok_or_else(|| Error::RustError("an author was not stored".into()))
    }

    /// Remembers the user as this author, if they could not write yet when they opened the notes.
    fn remember(&self, user: &UserId, author: u32) -> Result<()> {
        let values = vec![
            SqlStorageValue::Integer(author.into()),
            user.as_str().into(),
        ];
        let insert = "INSERT INTO note_authors (author, user) VALUES (?, ?) ON CONFLICT DO NOTHING";
        self.store.write(insert, values)
    }

    /// The notes in memory, read from what is stored if they are not there yet.
    fn open(&self) -> Result<RefMut<'_, Open>> {
        if self.open.borrow().is_none() {
            let (book, mut kept) = (Book::new().map_err(unreadable)?, Kept::default());
            let rows = self.after(0)?;
            for (place, row) in rows.iter().enumerate() {
                let update = STANDARD.decode(&row.value);
                let update = update.map_err(|_| Error::RustError("notes are unreadable".into()))?;
                book.load(&update).map_err(unreadable)?;
                // The first may be many in one.
                match place {
                    0 => kept.bytes = update.len(),
                    _ => kept.take(update.len(), 0),
                }
                kept.latest = row.number;
                kept.work = row.work;
            }
            self.open.replace(Some(Open { book, kept }));
        }
        RefMut::filter_map(self.open.borrow_mut(), Option::as_mut)
            .map_err(|_| Error::RustError("the notes are not open".into()))
    }
}

/// Takes an update into the book, and all of it as one if they are to be joined.
fn taken(book: &Book, update: &[u8], kept: &Kept) -> Read<Option<Vec<u8>>> {
    book.apply(update)?;
    kept.is_loose().then(|| book.state()).transpose()
}

fn unreadable(error: JsValue) -> Error {
    Error::RustError(format!("the notes cannot be read: {error:?}"))
}
