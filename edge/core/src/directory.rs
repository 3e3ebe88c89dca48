//! The directory: which shard knows a room, how a room stands in it, and by what words it is found.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use protocol::api::{DirectoryPage, ListedRoom, Room};
use protocol::id::RoomId;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::name::is_invisible;
use crate::order::Ordered;

/// How many Durable Objects share the directory. Raising it needs a migration of the rows.
pub const SHARDS: u32 = 16;

/// Longest word that a room is found by, and longest name that it is sorted by, in characters.
const MAX_WORD: usize = 24;
const MAX_SORTED: usize = 80;
/// How many words are looked for at most.
const MAX_SOUGHT: usize = 8;
/// Longest text that is looked for, in bytes.
const MAX_QUERY_BYTES: usize = 400;
/// Rooms of a page, unless it is asked for fewer or more, and at most.
const PAGE: u32 = 30;
const MAX_PAGE: u32 = 100;

/// The shard that knows a room (FNV-1a, so that it never changes with a library).
pub fn shard_of(room: &RoomId) -> u32 {
    let hash = room.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % SHARDS
}

/// How a room stands in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub room: Room,
    /// Whether everybody with an account finds it.
    pub listed: bool,
    pub locked: bool,
    pub password: bool,
}

/// A place in the order of the directory: by name, and among those of one name by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    pub name: String,
    pub id: RoomId,
}

impl Cursor {
    /// Where this room stands.
    pub fn of(room: &ListedRoom) -> Self {
        Self {
            name: sorted_by(&room.name),
            id: room.id.clone(),
        }
    }
}

/// As a client says where to go on. An id has no blank in it.
impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.id, self.name)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (id, name) = text.split_once(' ').ok_or(NoCursor)?;
        Ok(Self {
            id: id.parse().map_err(|_| NoCursor)?,
            name: name.chars().take(MAX_SORTED).collect(),
        })
    }
}

/// A text that is no place in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("say after=NEXT, with what the page before said as its next")]
pub struct NoCursor;

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// With what words of the name have to begin; all rooms if there are none.
    pub words: Vec<String>,
    /// Whether somebody has to be in it.
    pub live: bool,
    pub after: Option<Cursor>,
    /// How many rooms at most.
    pub limit: u32,
}

impl Search {
    /// A search by a text as it is typed; `None` if that has no word in it, and so no room is meant.
    pub fn new(text: &str, live: bool, after: Option<Cursor>, limit: Option<u32>) -> Option<Self> {
        let words = sought(text);
        if words.is_empty() && !text.trim().is_empty() {
            return None;
        }
        Some(Self {
            words,
            live,
            after,
            limit: limit.unwrap_or(PAGE).clamp(1, MAX_PAGE),
        })
    }

    /// How many rooms each shard is asked for: one more, which says that there is another page.
    pub fn asked_for(&self) -> u32 {
        self.limit + 1
    }

    /// The page that the answers of all shards make.
    pub fn page(&self, mut rooms: Vec<ListedRoom>) -> DirectoryPage {
        rooms.order_by_key(Cursor::of);
        let is_last = rooms.len() <= self.limit as usize;
        rooms.truncate(self.limit as usize);
        let last = rooms.last().filter(|_| !is_last);
        DirectoryPage {
            next: last.map(|room| Cursor::of(room).to_string()),
            rooms,
        }
    }
}

/// What a name is sorted by.
pub fn sorted_by(name: &str) -> String {
    folded(name).chars().take(MAX_SORTED).collect()
}

/// The words that a name is found by. Where a script has no blanks between words, one may begin at each of its letters.
pub fn words(name: &str) -> BTreeSet<String> {
    let folded = folded(name);
    let mut words = BTreeSet::new();
    for word in parts(&folded) {
        let inside = word.char_indices().filter(|(_, c)| has_no_blanks(*c));
        for (at, _) in std::iter::once((0, ' ')).chain(inside) {
            words.insert(word[at..].chars().take(MAX_WORD).collect());
        }
    }
    words
}

/// The words of what somebody looks for.
fn sought(text: &str) -> Vec<String> {
    let end = text.floor_char_boundary(MAX_QUERY_BYTES);
    let folded = folded(&text[..end]);
    let words: BTreeSet<String> = parts(&folded)
        .map(|word| word.chars().take(MAX_WORD).collect())
        .collect();
    words.into_iter().take(MAX_SOUGHT).collect()
}

/// The text in the form in which case, accents and the ways to write one letter make no difference (Unicode's NFKD, with
/// letters made large and small again for those that have several small forms).
fn folded(text: &str) -> String {
    let plain = text
        .nfkd()
        .filter(|c| !is_accent(*c) && !is_invisible_sign(*c));
    plain
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

fn parts(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !c.is_alphanumeric() && canonical_combining_class(c) == 0)
        .filter(|part| !part.is_empty())
}

/// The accents of Latin, Greek and Cyrillic; the marks of other scripts are vowels.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn is_invisible_sign(c: char) -> bool {
    !c.is_whitespace() && is_invisible(c)
}

/// Thai and Lao, Myanmar, Khmer, Hiragana and Katakana, Han.
fn has_no_blanks(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.parse().unwrap()
    }

    fn listed(id: &str, name: &str) -> ListedRoom {
        ListedRoom {
            id: room(id),
            name: name.into(),
            people: 0,
            locked: false,
            password: false,
        }
    }

    fn finds(query: &str, name: &str) -> bool {
        let Some(search) = Search::new(query, false, None, None) else {
            return false;
        };
        let words = words(name);
        search
            .words
            .iter()
            .all(|sought| words.iter().any(|word| word.starts_with(sought)))
    }

    #[test]
    fn a_room_has_the_same_shard_for_good() {
        // Written down: another value would lose the rooms that exist.
        assert_eq!(shard_of(&room("bako-tuvi-remo-dasu")), 1);
        let used: BTreeSet<_> = (0..200)
            .map(|i| shard_of(&room(&format!("room-{i}"))))
            .collect();
        assert_eq!(used.len() as u32, SHARDS);
    }

    #[test]
    fn a_name_is_found_by_the_beginnings_of_its_words_however_they_are_written() {
        for (query, name) in [
            ("mon stand", "Monday stand-up"),
            ("STAND mon", "Monday stand-up"),
            ("zoe", "Café Zoë"),
            ("cafe\u{301}", "Café Zoë"),
            // An accent within the word, and one that is typed and not stored: the beginning alone would not find them.
            ("uber", "Über uns"),
            ("Übersicht", "Ubersicht"),
            ("ecole", "École"),
            ("йод", "и\u{306}од"),
            ("strasse", "Straßenfest"),
            ("οδυσσευς", "ΟΔΥΣΣΕΥΣ"),
            ("йог", "Йога"),
            ("Ｆｕｌｌ", "full width"),
            ("会議", "東京会議室"),
            ("회의", "주간 회의실"),
            ("प्रात", "प्रातः सभा"),
            ("", "anything"),
            (" ", "🚀"),
        ] {
            assert!(finds(query, name), "{query:?} does not find {name:?}");
        }
        for (query, name) in [
            ("day", "Monday stand-up"),
            ("mon x", "Monday stand-up"),
            ("京都", "東京会議室"),
            ("%", "Monday"),
            ("🚀", "Monday"),
        ] {
            assert!(!finds(query, name), "{query:?} finds {name:?}");
        }
    }

    #[test]
    fn what_is_looked_for_and_what_is_stored_of_a_name_is_bounded() {
        assert!(words(&"会".repeat(80)).len() <= 80);
        let longest =
            |words: &BTreeSet<String>| words.iter().map(|word| word.chars().count()).max();
        assert_eq!(longest(&words(&"x".repeat(80))), Some(MAX_WORD));
        // One character that stands for eighteen.
        assert_eq!(
            sorted_by(&"\u{fdfa}".repeat(80)).chars().count(),
            MAX_SORTED
        );
        let search = Search::new(&"é ".repeat(10_000), false, None, Some(1_000)).unwrap();
        assert_eq!((search.words.len(), search.limit), (1, MAX_PAGE));
        let many: Vec<String> = (0..50).map(|i| format!("w{i}")).collect();
        let search = Search::new(&many.join(" "), false, None, Some(0)).unwrap();
        assert_eq!((search.words.len(), search.limit), (MAX_SOUGHT, 1));
    }

    #[test]
    fn pages_follow_one_another_in_the_order_of_names() {
        let rooms = ["b", "A", "é", "e", "C"]
            .map(|name| listed(&format!("id-{name}").replace('é', "f"), name));
        let search = Search::new("", false, None, Some(2)).unwrap();
        let first = search.page(rooms[..3].to_vec());
        let names: Vec<&str> = first.rooms.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(names, ["A", "b"]);
        let next: Cursor = first.next.unwrap().parse().unwrap();
        assert_eq!(next, Cursor::of(&rooms[0]));
        let is_after = |room: &&ListedRoom| Cursor::of(room) > next;
        let rest: Vec<ListedRoom> = rooms.iter().filter(is_after).cloned().collect();
        assert_eq!(rest.len(), 3);
        let last = search.page(rest[1..].to_vec());
        assert_eq!((last.rooms.len(), last.next), (2, None));
        for text in ["", "no-blank", "a/b name"] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text:?}");
        }
    }
}
