//! Polls of a room: what is asked, who has voted, and how often each option was chosen. A user has one vote in each, and of
//! an anonymous one nothing but the counts is left when it is closed.

use std::collections::{BTreeMap, BTreeSet};

use protocol::client::{
    ErrorCode, MAX_OPTION_BYTES, MAX_POLL_OPTIONS, MAX_QUESTION_BYTES, MIN_POLL_OPTIONS, NamedVote,
    OwnVote, PollDraft, PollResults, PollShows,
};
use protocol::id::{PollId, UserId};
use serde::{Deserialize, Serialize};

use crate::nonce;
use crate::refusal::Refusal;

/// How many polls of a room may be open at once, and how many it keeps, the deleted ones that it still knows included.
pub const MAX_OPEN: usize = 5;
pub const MAX_KEPT: usize = 20;
/// How many users vote in a poll: twice as many as a room holds by default.
const MAX_VOTERS: usize = 1_000;
/// From so many voters on, the counts of an anonymous poll are told: with two, each would know what the other chose.
const FEWEST_SECRET: usize = 3;

/// A stored poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    pub id: PollId,
    /// The creator's own name for it.
    pub nonce: String,
    pub user: UserId,
    pub name: String,
    pub draft: PollDraft,
    pub created_at: u64,
    pub state: State,
}

/// How far a poll is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Open,
    Closed {
        at: u64,
        voters: u32,
        counts: Vec<u32>,
    },
    /// Nothing but its name is left, so that it is not made again when it is asked for again.
    Deleted,
}

/// A stored vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    pub poll: PollId,
    pub user: UserId,
    /// The user's name as they voted.
    pub name: String,
    pub choices: BTreeSet<u8>,
}

/// What is to be stored of a vote.
#[derive(Debug, PartialEq, Eq)]
pub enum Cast {
    Stored(Ballot),
    TakenBack,
}

/// What has become an account's: polls and votes as they are now, and in which polls the guest has no vote any more.
#[derive(Debug, Default)]
pub struct Inherited {
    pub polls: Vec<Poll>,
    pub ballots: Vec<Ballot>,
    pub left: Vec<PollId>,
}

/// A poll with its votes.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    poll: Poll,
    ballots: BTreeMap<UserId, Ballot>,
}

/// The polls of a room.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Polls {
    kept: BTreeMap<PollId, Kept>,
    /// The latest poll, even if that one cannot be read.
    latest: PollId,
}

impl Polls {
    /// Takes up what is stored, and which polls are stored and cannot be read.
    pub fn restore(polls: Vec<Poll>, ballots: Vec<Ballot>, unreadable: &[PollId]) -> Self {
        let mut restored = Self {
            kept: BTreeMap::new(),
            latest: unreadable.iter().copied().max().unwrap_or_default(),
        };
        for poll in polls {
            restored.keep(poll);
        }
        for ballot in ballots {
            if let Some(kept) = restored.kept.get_mut(&ballot.poll) {
                kept.ballots.insert(ballot.user.clone(), ballot);
            }
        }
        restored
    }

    fn keep(&mut self, poll: Poll) {
        self.latest = self.latest.max(poll.id);
        let ballots = BTreeMap::new();
        self.kept.insert(poll.id, Kept { poll, ballots });
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The poll that this user has made under this nonce.
    pub fn find(&self, user: &UserId, nonce: &str) -> Option<PollId> {
        let mut polls = self.kept.values().map(|kept| &kept.poll);
        polls
            .find(|poll| poll.nonce == nonce && poll.user == *user)
            .map(|poll| poll.id)
    }

    /// Refuses an id that no poll has, or not any more.
    pub fn known(&self, id: PollId) -> Result<(), Refusal> {
        let kept = self.kept.get(&id).map(|kept| &kept.poll.state);
        match kept {
            Some(State::Open | State::Closed { .. }) => Ok(()),
            Some(State::Deleted) | None => Err(Refusal::new(
                ErrorCode::UnknownPoll,
                "there is no such poll any more",
            )),
        }
    }

    /// Makes a poll. It gets the next id, whatever it says of one.
    pub fn create(&mut self, mut poll: Poll) -> Result<Poll, Refusal> {
        let is_open = |kept: &&Kept| kept.poll.state == State::Open;
        if self.kept.values().filter(is_open).count() >= MAX_OPEN {
            let message = "as many polls are open as may be: close one of them first";
            return Err(Refusal::new(ErrorCode::TooMany, message));
        }
        poll.id = PollId(self.latest.0 + 1);
        self.keep(poll.clone());
        Ok(poll)
    }

    /// Forgets the oldest poll that is not open, if there are too many. Returns which, and whose votes go with it.
    pub fn forget_oldest(&mut self) -> Option<(PollId, Vec<UserId>)> {
        if self.kept.len() <= MAX_KEPT {
            return None;
        }
        let mut polls = self.kept.values().map(|kept| &kept.poll);
        let oldest = polls.find(|poll| poll.state != State::Open)?.id;
        let gone = self.kept.remove(&oldest)?;
        Some((oldest, gone.ballots.into_keys().collect()))
    }

    /// Whether a user may choose so.
    pub fn check_vote(&self, ballot: &Ballot) -> Result<(), Refusal> {
        let Some(Kept { poll, ballots }) = self.kept.get(&ballot.poll) else {
            return Ok(());
        };
        if poll.state != State::Open {
            return Err(Refusal::new(ErrorCode::PollClosed, "this poll is closed"));
        }
        let (choices, options) = (&ballot.choices, poll.draft.options.len());
        if choices.iter().any(|choice| usize::from(*choice) >= options) {
            return Err(Refusal::new(
                ErrorCode::Malformed,
                "the poll has no such option",
            ));
        }
        if choices.len() > 1 && !poll.draft.multiple {
            return Err(Refusal::new(
                ErrorCode::Malformed,
                "one option alone can be chosen here",
            ));
        }
        if ballots.len() >= MAX_VOTERS && !ballots.contains_key(&ballot.user) {
            let message = "as many have voted in this poll as can";
            return Err(Refusal::new(ErrorCode::TooMany, message));
        }
        Ok(())
    }

    /// Whether a user has chosen so already.
    pub fn is_cast(&self, ballot: &Ballot) -> bool {
        let kept = self.kept.get(&ballot.poll);
        let before = kept.and_then(|kept| kept.ballots.get(&ballot.user));
        before.map_or(ballot.choices.is_empty(), |before| {
            before.choices == ballot.choices
        })
    }

    /// Takes a user's vote in the place of the one before. That it is one is checked first ([`check_vote`](Self::check_vote)).
    pub fn vote(&mut self, ballot: Ballot) -> Cast {
        let kept = self.kept.get_mut(&ballot.poll);
        let ballots = kept.map(|kept| &mut kept.ballots);
        if ballot.choices.is_empty() {
            ballots.map(|ballots| ballots.remove(&ballot.user));
            return Cast::TakenBack;
        }
        ballots.map(|ballots| ballots.insert(ballot.user.clone(), ballot.clone()));
        Cast::Stored(ballot)
    }

    /// What was a guest's is this account's. Where both have voted, the account's vote stays; in an anonymous poll both do, as
    /// otherwise everybody would see which vote is gone as somebody takes an account.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> Inherited {
        let mut inherited = Inherited::default();
        for Kept { poll, ballots } in self.kept.values_mut() {
            if poll.user == *from {
                poll.user = to.clone();
                inherited.polls.push(poll.clone());
            }
            let both = ballots.contains_key(to);
            if both && poll.draft.anonymous {
                continue;
            }
            let Some(mut ballot) = ballots.remove(from) else {
                continue;
            };
            inherited.left.push(poll.id);
            if !both {
                ballot.user = to.clone();
                ballots.insert(to.clone(), ballot.clone());
                inherited.ballots.push(ballot);
            }
        }
        inherited
    }

    /// Ends the voting. Returns the poll, and whose votes are forgotten; nothing if it was closed before.
    pub fn close(&mut self, id: PollId, now: u64) -> Option<(Poll, Vec<UserId>)> {
        let kept = self.kept.get_mut(&id)?;
        if kept.poll.state != State::Open {
            return None;
        }
        kept.poll.state = State::Closed {
            at: now,
            voters: kept.ballots.len() as u32,
            counts: kept.counts(),
        };
        let secret = kept.poll.draft.anonymous;
        let forgotten = if secret { kept.forget() } else { Vec::new() };
        Some((kept.poll.clone(), forgotten))
    }

    /// Deletes a poll but for its name. Returns what is left, and whose votes are gone.
    pub fn delete(&mut self, id: PollId) -> Option<(Poll, Vec<UserId>)> {
        let kept = self.kept.get_mut(&id)?;
        kept.poll.state = State::Deleted;
        kept.poll.draft = PollDraft::default();
        let forgotten = kept.forget();
        Some((kept.poll.clone(), forgotten))
    }

    /// What a user has chosen.
    pub fn votes_of(&self, user: &UserId) -> Vec<OwnVote> {
        let own = |kept: &Kept| {
            let ballot = kept.ballots.get(user)?;
            Some(OwnVote {
                poll: kept.poll.id,
                choices: ballot.choices.iter().copied().collect(),
            })
        };
        self.kept.values().filter_map(own).collect()
    }

    /// Who voted for what, where that is told.
    pub fn votes_in(&self, id: PollId) -> Result<Vec<NamedVote>, Refusal> {
        let Some(kept) = self.kept.get(&id) else {
            return Ok(Vec::new());
        };
        if kept.poll.draft.anonymous {
            let message = "the poll is anonymous: who voted for what is told to nobody";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        if !kept.are_told() {
            let message = "the results of this poll are told when it is closed";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        let named = |ballot: &Ballot| NamedVote {
            user: ballot.user.clone(),
            name: ballot.name.clone(),
            choices: ballot.choices.iter().copied().collect(),
        };
        Ok(kept.ballots.values().map(named).collect())
    }

    /// A poll as everybody is shown it.
    pub fn view(&self, id: PollId) -> Option<protocol::client::Poll> {
        let kept = self.kept.get(&id)?;
        let poll = &kept.poll;
        let closed_at = match poll.state {
            State::Open => None,
            State::Closed { at, .. } => Some(at),
            State::Deleted => return None,
        };
        Some(protocol::client::Poll {
            id,
            nonce: poll.nonce.clone(),
            user: poll.user.clone(),
            name: poll.name.clone(),
            draft: poll.draft.clone(),
            created_at: poll.created_at,
            closed_at,
            results: kept.results(),
        })
    }

    /// All of them, the oldest first.
    pub fn views(&self) -> Vec<protocol::client::Poll> {
        self.kept.keys().filter_map(|id| self.view(*id)).collect()
    }
}

impl Kept {
    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.poll.draft.options.len()];
        for choice in self.ballots.values().flat_map(|ballot| &ballot.choices) {
            if let Some(count) = counts.get_mut(usize::from(*choice)) {
                *count += 1;
            }
        }
        counts
    }

    /// Whether it is time to tell results.
    fn are_told(&self) -> bool {
        self.poll.draft.shows == PollShows::Live || self.poll.state != State::Open
    }

    fn results(&self) -> PollResults {
        let (voters, counts) = match &self.poll.state {
            State::Closed { voters, counts, .. } => (*voters, counts.clone()),
            State::Open | State::Deleted => (self.ballots.len() as u32, self.counts()),
        };
        let few = self.poll.draft.anonymous && (voters as usize) < FEWEST_SECRET;
        let told = self.are_told() && !few;
        PollResults {
            voters,
            counts: told.then_some(counts),
        }
    }

    fn forget(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.ballots).into_keys().collect()
    }
}

/// Whether a poll has the form of one; else why it is refused.
pub fn check(nonce: &str, draft: &PollDraft) -> Result<(), Refusal> {
    let malformed = |message| Err(Refusal::malformed(message));
    let PollDraft {
        question, options, ..
    } = draft;
    nonce::check(nonce)?;
    if !(MIN_POLL_OPTIONS..=MAX_POLL_OPTIONS).contains(&options.len()) {
        return malformed("a poll has 2 to 20 options");
    }
    if question.len() > MAX_QUESTION_BYTES {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "the question of a poll has at most 1,000 bytes",
        ));
    }
    if options.iter().any(|option| option.len() > MAX_OPTION_BYTES) {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "an option of a poll has at most 300 bytes",
        ));
    }
    let mut texts = options.iter().map(|option| option.trim());
    if question.trim().is_empty() || texts.clone().any(str::is_empty) {
        return malformed("a poll has a question, and a text for each option");
    }
    let mut seen = BTreeSet::new();
    if !texts.all(|text| seen.insert(text)) {
        return malformed("the options of a poll differ");
    }
    Ok(())
}
