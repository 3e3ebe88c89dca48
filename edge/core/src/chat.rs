//! Chat: lines that are stored once, however often they are sent, and of which a room keeps so many.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::api::ChatExport;
use protocol::client::{
    ChatMessage, ChatPage, ChatReaction, ErrorCode, MAX_CHAT_BYTES, ReactionCount,
};
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::breakouts::Subroom;
use crate::refusal::Refusal;

/// How many lines a newcomer is shown. As many are held in memory.
pub const HISTORY: usize = 200;

/// How many lines a room keeps, and how many bytes they may take as they are stored: a large event of years, and a
/// fortieth of what a Durable Object can hold (10 GB).
const MAX_LINES: u64 = 1_000_000;
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// How many users may feel one way about a line: as many as a room takes.
const MAX_REACTING: usize = 500;

/// Who reads, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    pub user: UserId,
    pub subroom: Subroom,
}

/// A stored line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counts up by one. It is not in the value that is stored, but what that is found by.
    #[serde(skip)]
    pub number: u64,
    /// Without reactions: they depend on who looks.
    #[serde(flatten)]
    pub message: ChatMessage,
    /// Who feels how about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reacting: BTreeMap<ChatReaction, BTreeSet<UserId>>,
}

impl Line {
    /// The two users between whom it is; absent where everybody sees it.
    pub fn between(&self) -> Option<[UserId; 2]> {
        let to = self.message.to.as_ref()?;
        let from = self.message.user.as_ref().unwrap_or(&to.user);
        Some([from.clone(), to.user.clone()])
    }

    /// Where it is seen; absent where that is anywhere.
    pub fn subroom(&self) -> Option<Subroom> {
        let anywhere = self.message.broadcast || self.message.to.is_some();
        (!anywhere).then(|| self.message.breakout.into())
    }

    /// The line as it is shown to who reads, if it is.
    pub fn seen_by(&self, reader: &Reader) -> Option<ChatMessage> {
        let is_here = self
            .subroom()
            .is_none_or(|subroom| subroom == reader.subroom);
        self.told(&reader.user).filter(|_| is_here)
    }

    /// The line as this user is told it, wherever it was said.
    fn told(&self, user: &UserId) -> Option<ChatMessage> {
        if self.between().is_some_and(|both| !both.contains(user)) {
            return None;
        }
        let count = |(reaction, users): (&ChatReaction, &BTreeSet<UserId>)| ReactionCount {
            reaction: *reaction,
            count: users.len() as u32,
            mine: users.contains(user),
        };
        Some(ChatMessage {
            reactions: self.reacting.iter().map(count).collect(),
            ..self.message.clone()
        })
    }

    /// What was one user's is another's from now on. Says whether the line names or pleases them.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> bool {
        let message = &mut self.message;
        if message.user.as_ref() == Some(from) {
            message.user = Some(to.clone());
        }
        let mut is_about = false;
        for named in message.mentions.iter_mut().chain(&mut message.to) {
            if named.user == *from {
                named.user = to.clone();
                is_about = true;
            }
        }
        for users in self.reacting.values_mut() {
            if users.remove(from) {
                users.insert(to.clone());
                is_about = true;
            }
        }
        is_about
    }

    /// Gives it another text. Says whether that is news.
    pub fn edit(&mut self, text: String, now: u64) -> bool {
        if self.message.text == text {
            return false;
        }
        self.message.text = text;
        self.message.edited_at = Some(now);
        true
    }

    /// Takes everything from it but its place. Says whether that is news.
    pub fn delete(&mut self) -> bool {
        if self.message.deleted {
            return false;
        }
        self.message.deleted = true;
        self.message.text.clear();
        self.message.mentions.clear();
        self.message.reply_to = None;
        self.reacting.clear();
        true
    }

    /// A user feels so about it, or does no more. Says how many do by now if that is news, or that they are too many.
    pub fn react(
        &mut self,
        user: &UserId,
        reaction: ChatReaction,
        on: bool,
    ) -> Result<Option<u32>, TooMany> {
        let users = self.reacting.entry(reaction).or_default();
        if on && !users.contains(user) && users.len() >= MAX_REACTING {
            return Err(TooMany);
        }
        let is_news = match on {
            true => users.insert(user.clone()),
            false => users.remove(user),
        };
        let count = users.len() as u32;
        if count == 0 {
            self.reacting.remove(&reaction);
        }
        Ok(is_news.then_some(count))
    }
}

/// No more users may feel so about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// The number that an id of a line stands for.
pub fn number(id: &str) -> Option<u64> {
    id.parse().ok()
}

/// Which lines a room keeps: all others go, as lines come, and are not shown from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// From the line with this number on.
    pub from: u64,
    /// Those that were said since then, in Unix milliseconds.
    pub since: u64,
}

impl Keep {
    pub fn keeps(self, line: &Line) -> bool {
        line.number >= self.from && line.message.sent_at >= self.since
    }
}

/// How many milliseconds a day has.
const DAY: u64 = 86_400_000;

/// Which stored lines a page of the history is of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// The number of the oldest line of the page, whether or not it can be read.
    pub first: Option<u64>,
    /// The number of the oldest line that is stored at all.
    pub oldest: Option<u64>,
}

/// A page of the history, as this user is shown it: of these lines before the one that was asked for, the oldest first.
/// What is not kept any more is not shown, whether or not it has gone yet.
pub fn page(before: u64, lines: &[Line], span: Span, keep: Keep, reader: &Reader) -> ChatPage {
    let Span { first, oldest } = span;
    let is_whole = lines.iter().all(|line| keep.keeps(line));
    let next = first.filter(|first| oldest.is_some_and(|oldest| oldest < *first) && is_whole);
    let kept = lines.iter().filter(|line| keep.keeps(line));
    ChatPage {
        before: before.to_string(),
        lines: kept.filter_map(|line| line.seen_by(reader)).collect(),
        gone: !is_whole || next.is_none() && oldest.is_some_and(|oldest| oldest > 1),
        next: next.map(|next| next.to_string()),
    }
}

/// A part of what a room's host takes along: of these lines after another, the oldest first, whichever breakout room they were
/// said in, with the number of the last of them if there may be more.
pub fn export(lines: &[Line], next: Option<u64>, keep: Keep, user: &UserId) -> ChatExport {
    let kept = lines.iter().filter(|line| keep.keeps(line));
    ChatExport {
        lines: kept.filter_map(|line| line.told(user)).collect(),
        next: next.map(|next| next.to_string()),
    }
}

/// How much chat is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub lines: u64,
    pub bytes: u64,
}

impl Kept {
    /// Whether the oldest line has to go.
    pub fn is_too_much(self) -> bool {
        self.lines > MAX_LINES || self.bytes > MAX_BYTES
    }
}

/// The latest lines of a room, the oldest first.
#[derive(Debug, Default)]
pub struct Chat {
    lines: VecDeque<Line>,
    /// The number of the latest line, even if that one cannot be read.
    latest: u64,
}

impl Chat {
    /// Takes up the latest of the stored lines, the oldest first, and the highest number among all that are stored.
    pub fn restore(lines: Vec<Line>, latest: u64) -> Self {
        Self {
            lines: lines.into(),
            latest,
        }
    }

    /// The id of the line that this user has sent under this nonce, if it is one of the latest.
    pub fn find(&self, user: &UserId, nonce: &str) -> Option<String> {
        let mut lines = self.lines.iter().rev().map(|line| &line.message);
        lines
            .find(|message| message.nonce == nonce && message.user.as_ref() == Some(user))
            .map(|message| message.id.clone())
    }

    /// What was one user's is another's from now on. Returns the lines that are about them, and not only theirs.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> Vec<Line> {
        let lines = self.lines.iter_mut();
        let changed = lines.filter_map(|line| line.inherit(from, to).then(|| line.clone()));
        changed.collect()
    }

    /// A user's lines are under this name from now on.
    pub fn rename(&mut self, user: &UserId, name: &str) {
        let lines = self.lines.iter_mut().map(|line| &mut line.message);
        for message in lines.filter(|message| message.user.as_ref() == Some(user)) {
            name.clone_into(&mut message.name);
        }
    }

    /// Takes a line up as the latest. It gets the next number as its id.
    pub fn add(&mut self, mut message: ChatMessage) -> Line {
        self.latest += 1;
        message.id = self.latest.to_string();
        let line = Line {
            number: self.latest,
            message,
            reacting: BTreeMap::new(),
        };
        self.lines.push_back(line.clone());
        if self.lines.len() > HISTORY {
            self.lines.pop_front();
        }
        line
    }

    /// Takes a line up in the place of what it was before, if it is one of the latest.
    pub fn change(&mut self, changed: &Line) {
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|line| line.number == changed.number) {
            line.clone_from(changed);
        }
    }

    /// Which lines are kept now, of so many and for so many days.
    pub fn keep(&self, lines: u32, days: u32, now: u64) -> Keep {
        Keep {
            from: (self.latest + 1).saturating_sub(lines.into()),
            since: now.saturating_sub(u64::from(days) * DAY),
        }
    }

    /// Forgets the lines that are not kept.
    pub fn forget(&mut self, keep: Keep) {
        while self.lines.front().is_some_and(|line| !keep.keeps(line)) {
            self.lines.pop_front();
        }
    }

    /// The number of the latest line.
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// Before which line to ask for more, of whom these are shown; absent where there is nothing before.
    pub fn before(&self, shown: &[ChatMessage]) -> Option<String> {
        let first = shown.first().and_then(|line| number(&line.id));
        // Of those that are held here none is shown.
        let held = self.lines.front().map(|line| line.number);
        let before = first.or(held).unwrap_or(self.latest + 1);
        (before > 1).then(|| before.to_string())
    }

    /// The latest lines as they are shown to who reads, the oldest first.
    pub fn history(&self, reader: &Reader) -> Vec<ChatMessage> {
        let lines = self.lines.iter();
        lines.filter_map(|line| line.seen_by(reader)).collect()
    }
}

/// Whether a text has the form of one; else why it is refused.
pub fn check_text(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_CHAT_BYTES {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "a line of chat has at most 4,000 bytes",
        ));
    }
    if text.trim().is_empty() {
        return Err(Refusal::new(
            ErrorCode::Malformed,
            "a line of chat has a text",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use protocol::client::Mention;
    use protocol::id::BreakoutId;

    use super::*;

    const ALL: Keep = Keep { from: 0, since: 0 };

    fn message(who: &str, nonce: &str) -> ChatMessage {
        ChatMessage {
            id: String::new(),
            nonce: nonce.into(),
            participant: who.parse().unwrap(),
            user: Some(who.parse().unwrap()),
            name: who.into(),
            text: "x".into(),
            sent_at: 7,
            edited_at: None,
            deleted: false,
            reply_to: None,
            mentions: Vec::new(),
            to: None,
            breakout: None,
            broadcast: false,
            reactions: Vec::new(),
        }
    }

    /// In the main room.
    fn reader(user: &str) -> Reader {
        Reader {
            user: user.parse().unwrap(),
            subroom: Subroom::Main,
        }
    }

    #[test]
    fn a_line_is_known_by_its_user_and_nonce() {
        let mut chat = Chat::default();
        let mut line = message("ada", "n1");
        line.participant = "another".parse().unwrap();
        chat.add(line);
        let known = |who: &str, nonce: &str| chat.find(&who.parse().unwrap(), nonce);
        assert_eq!(known("ada", "n1").as_deref(), Some("1"));
        assert_eq!(known("ada", "n2"), None);
        assert_eq!(known("bob", "n1"), None);
    }

    #[test]
    fn the_history_keeps_its_length_and_the_numbers_go_on() {
        let mut chat = Chat::default();
        for i in 0..HISTORY + 5 {
            chat.add(message("ada", &format!("n{i}")));
        }
        let history = chat.history(&reader("ada"));
        assert_eq!(history.len(), HISTORY);
        assert_eq!(history[0].id, "6");
        // The latest two cannot be read: their numbers are not given to others.
        let mut restored = Chat::restore(Vec::from(chat.lines), 207);
        assert_eq!(restored.add(message("ada", "next")).number, 208);
    }

    #[test]
    fn a_line_has_a_text_of_bounded_size() {
        for (text, fine) in [
            (" \n".to_owned(), false),
            ("x".repeat(MAX_CHAT_BYTES), true),
            ("x".repeat(MAX_CHAT_BYTES + 1), false),
        ] {
            assert_eq!(check_text(&text).is_ok(), fine, "{}", text.len());
        }
    }

    #[test]
    fn the_oldest_line_goes_when_there_are_too_many_or_too_many_bytes() {
        for (lines, bytes, too_much) in [
            (MAX_LINES, MAX_BYTES, false),
            (MAX_LINES + 1, 0, true),
            (1, MAX_BYTES + 1, true),
        ] {
            assert_eq!(Kept { lines, bytes }.is_too_much(), too_much);
        }
    }

    #[test]
    fn a_private_line_is_seen_by_both_alone_and_reactions_are_counted_for_who_looks() {
        let [ada, bob, eve]: [UserId; 3] = ["ada", "bob", "eve"].map(|user| user.parse().unwrap());
        let mut chat = Chat::default();
        let mut private = message("ada", "n1");
        private.to = Some(Mention {
            user: bob.clone(),
            name: "Bob".into(),
        });
        chat.add(private);
        let mut open = chat.add(message("ada", "n2"));
        assert_eq!(open.react(&bob, ChatReaction::Heart, true), Ok(Some(1)));
        assert_eq!(open.react(&bob, ChatReaction::Heart, true), Ok(None));
        chat.change(&open);
        let ids = |user: &UserId| -> Vec<String> {
            let lines = chat.history(&reader(user.as_str()));
            lines.into_iter().map(|line| line.id).collect()
        };
        assert_eq!(ids(&ada), ["1", "2"]);
        assert_eq!(ids(&bob), ["1", "2"]);
        assert_eq!(ids(&eve), ["2"]);
        let history = |user: &UserId| chat.history(&reader(user.as_str()));
        let mine = |user: &UserId| history(user).last().map(|line| line.reactions[0].mine);
        assert_eq!((mine(&ada), mine(&bob)), (Some(false), Some(true)));
        assert_eq!(open.react(&bob, ChatReaction::Heart, false), Ok(Some(0)));
        assert!(open.reacting.is_empty());
        for number in 0..MAX_REACTING {
            let user = format!("u{number}").parse().unwrap();
            assert!(open.react(&user, ChatReaction::Sad, true).is_ok());
        }
        assert_eq!(open.react(&bob, ChatReaction::Sad, true), Err(TooMany));
    }

    #[test]
    fn a_line_is_seen_where_it_was_said_and_a_broadcast_everywhere() {
        let mut chat = Chat::default();
        let inside = |breakout: u32, nonce: &str| ChatMessage {
            breakout: Some(BreakoutId(breakout)),
            ..message("ada", nonce)
        };
        chat.add(message("ada", "n1"));
        chat.add(inside(1, "n2"));
        chat.add(inside(2, "n3"));
        chat.add(ChatMessage {
            broadcast: true,
            ..message("ada", "n4")
        });
        let ids = |subroom: Subroom| -> String {
            let reader = Reader {
                subroom,
                ..reader("bob")
            };
            let lines = chat.history(&reader);
            lines.into_iter().map(|line| line.id).collect()
        };
        assert_eq!(ids(Subroom::Main), "14");
        assert_eq!(ids(Subroom::Breakout(BreakoutId(1))), "24");
        assert_eq!(ids(Subroom::Breakout(BreakoutId(2))), "34");
        let lines: Vec<Line> = chat.lines.into();
        let bob = "bob".parse().unwrap();
        assert_eq!(export(&lines, None, ALL, &bob).lines.len(), 4);
    }

    #[test]
    fn a_page_says_where_to_go_on_and_whether_the_oldest_have_gone() {
        let eve = reader("eve");
        let mut chat = Chat::restore(Vec::new(), 6);
        let lines = [
            chat.add(message("ada", "n7")),
            chat.add(message("ada", "n8")),
        ];
        let page = |first, oldest| {
            let ChatPage { next, gone, .. } = page(9, &lines, Span { first, oldest }, ALL, &eve);
            (next, gone)
        };
        assert_eq!(page(Some(7), Some(1)), (Some("7".into()), false));
        assert_eq!(page(Some(7), Some(7)), (None, true));
        assert_eq!(page(None, Some(7)), (None, true));
        assert_eq!(page(None, None), (None, false));
        assert_eq!(page(None, Some(1)), (None, false));
    }

    #[test]
    fn what_is_not_kept_any_more_is_not_shown_whether_or_not_it_has_gone() {
        let ada = reader("ada");
        let mut chat = Chat::default();
        let said_at = |day: u64| ChatMessage {
            sent_at: day * DAY,
            ..message("ada", &format!("n{day}"))
        };
        let lines: Vec<Line> = (0..6).map(|day| chat.add(said_at(day))).collect();
        for (most, days, ids) in [(9, 9, "123456"), (2, 9, "56"), (9, 3, "3456"), (1, 1, "6")] {
            let keep = chat.keep(most, days, 5 * DAY);
            let span = Span {
                first: Some(1),
                oldest: Some(1),
            };
            let page = page(7, &lines, span, keep, &ada);
            let shown: Vec<&str> = page.lines.iter().map(|line| line.id.as_str()).collect();
            assert_eq!(shown.concat(), ids);
            assert_eq!((page.gone, page.next), (ids.len() < 6, None));
            assert_eq!(export(&lines, None, keep, &ada.user).lines.len(), ids.len());
            let mut chat = Chat::restore(lines.clone(), 6);
            chat.forget(keep);
            assert_eq!(chat.history(&ada).len(), ids.len());
        }
    }

    #[test]
    fn a_line_is_stored_as_one_that_former_releases_read_and_wrote() {
        let former = r#"{"id":"1","nonce":"n","participant":"ada","user":"ada","name":"Ada","text":"x","sentAt":7}"#;
        let line: Line = serde_json::from_str(former).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), former);
    }
}
