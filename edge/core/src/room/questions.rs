//! What nodes were asked and have not answered yet: offers, and restarts of ICE.
//!
//! A node that is slow says something now and then; one that stands still says nothing at all, and is left long before. To
//! leave one that would have answered costs its client another offer, and nobody else anything.

use std::collections::HashMap;

use protocol::id::{NodeId, ParticipantId};

use crate::order::Ordered;

/// How long a node may take to answer, in milliseconds. It takes a few; after this it has lost the question.
const SLOW: u64 = 3_000;
/// How long a node that was asked may say nothing at all, in milliseconds: more than a round trip across the world, and than
/// a stumble.
const MUTE: u64 = 800;
/// The same when two people wait for it: it is not one client's doing.
const MUTE_FOR_TWO: u64 = 400;
/// For how long a node that was left for its silence is sought only if there is no other, in milliseconds. Its region has
/// noticed by then.
const SHUNNED: u64 = 10_000;

/// The open questions of a room.
#[derive(Default)]
pub(super) struct Questions {
    open: HashMap<ParticipantId, Question>,
    /// When each node said something last.
    words: HashMap<NodeId, u64>,
    /// Nodes that were left for their silence, and when.
    left: HashMap<NodeId, u64>,
}

struct Question {
    node: NodeId,
    at: u64,
    /// The node's link may have to come back before it can answer.
    is_patient: bool,
}

impl Questions {
    /// A node is asked something for this person.
    pub(super) fn ask(&mut self, participant: &ParticipantId, node: &NodeId, now: u64) {
        self.open_one(participant, node, now, false);
    }

    /// A node was asked something for this person before the room restarted.
    pub(super) fn have_asked(&mut self, participant: &ParticipantId, node: &NodeId, now: u64) {
        self.open_one(participant, node, now, true);
    }

    /// Who asks again while the node has said nothing waits since the first time.
    fn open_one(&mut self, participant: &ParticipantId, node: &NodeId, now: u64, is_patient: bool) {
        let open = self.open.get(participant);
        let silent = open.filter(|open| open.node == *node && !self.has_spoken_since(open));
        let at = silent.map_or(now, |open| open.at);
        let question = Question {
            node: node.clone(),
            at,
            is_patient,
        };
        self.open.insert(participant.clone(), question);
    }

    /// Nothing is to be answered any more for this person.
    pub(super) fn close(&mut self, participant: &ParticipantId) {
        self.open.remove(participant);
    }

    /// A node says something: it lives.
    pub(super) fn heard(&mut self, node: &NodeId, now: u64) {
        self.words.insert(node.clone(), now);
        self.left.remove(node);
    }

    /// The room leaves a node.
    pub(super) fn forget(&mut self, node: &NodeId) {
        self.words.remove(node);
    }

    /// When the next answer is overdue.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.open.values().map(|question| self.due(question)).min()
    }

    /// For whom an answer is overdue.
    pub(super) fn overdue(&self, now: u64) -> Vec<ParticipantId> {
        let late = self.open.iter();
        let late = late.filter(|(_, question)| self.due(question) <= now);
        let mut late: Vec<ParticipantId> = late.map(|(id, _)| id.clone()).collect();
        late.order_by(Ord::cmp);
        late
    }

    fn due(&self, question: &Question) -> u64 {
        if self.has_spoken_since(question) {
            return question.at + SLOW;
        }
        let same = self
            .open
            .values()
            .filter(|other| other.node == question.node);
        let silent = same.filter(|other| !self.has_spoken_since(other));
        let (count, first) = silent.fold((0, question.at), |(count, first), other| {
            (count + 1, first.min(other.at))
        });
        first + if count > 1 { MUTE_FOR_TWO } else { MUTE }
    }

    fn has_spoken_since(&self, question: &Question) -> bool {
        let word = self.words.get(&question.node);
        question.is_patient || word.is_some_and(|word| *word > question.at)
    }

    /// The answer for this person is given up, and the node with it if it has said nothing.
    pub(super) fn give_up(&mut self, participant: &ParticipantId, now: u64) {
        if let Some(question) = self.open.remove(participant)
            && !self.has_spoken_since(&question)
        {
            self.left.insert(question.node, now);
        }
    }

    /// Nodes that nobody is to be given to, if there are others.
    pub(super) fn shunned(&mut self, now: u64) -> impl Iterator<Item = NodeId> {
        self.left.retain(|_, since| now < *since + SHUNNED);
        self.left.keys().cloned()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect("a good id")
    }

    /// One question for each of these people at these times, all to one node.
    fn asked(people: &[(&str, u64)]) -> Questions {
        let mut questions = Questions::default();
        for (person, at) in people {
            questions.ask(&id(person), &id("n1"), *at);
        }
        questions
    }

    #[test]
    fn a_node_that_says_nothing_is_left_sooner_and_for_two_sooner_still() {
        assert_eq!(asked(&[("ada", 100)]).next_due(), Some(900));
        assert_eq!(asked(&[("ada", 100), ("bob", 300)]).next_due(), Some(500));
        let mut questions = asked(&[("ada", 100), ("bob", 300)]);
        questions.ask(&id("cy"), &id("n2"), 0);
        questions.close(&id("cy"));
        questions.heard(&id("n1"), 200);
        // It has lost the first, it seems; the second may be on its way.
        assert_eq!(questions.overdue(1_100), [id("bob")]);
        questions.heard(&id("n1"), 301);
        assert_eq!(questions.next_due(), Some(3_100));
    }

    #[test]
    fn who_asks_again_waits_since_the_first_time() {
        let mut questions = asked(&[("ada", 100), ("ada", 700)]);
        assert_eq!(questions.next_due(), Some(900));
        questions.heard(&id("n1"), 800);
        // It lives, and has lost the first, it seems.
        questions.ask(&id("ada"), &id("n1"), 850);
        assert_eq!(questions.next_due(), Some(1_650));
        // Another node is not to blame for it.
        questions.ask(&id("ada"), &id("n2"), 1_000);
        assert_eq!(questions.next_due(), Some(1_800));
    }

    #[test]
    fn a_silent_node_is_shunned_for_a_while_or_until_it_speaks() {
        let shunned = |questions: &mut Questions, now| questions.shunned(now).count();
        let mut questions = asked(&[("ada", 0)]);
        questions.give_up(&id("ada"), 800);
        assert_eq!(shunned(&mut questions, 10_799), 1);
        assert_eq!(shunned(&mut questions, 10_800), 0);
        let mut questions = asked(&[("ada", 0)]);
        questions.give_up(&id("ada"), 800);
        questions.heard(&id("n1"), 900);
        assert_eq!(shunned(&mut questions, 901), 0);
        // One that is only slow is not.
        let mut questions = asked(&[("ada", 0)]);
        questions.heard(&id("n1"), 10);
        questions.give_up(&id("ada"), 3_000);
        assert_eq!(shunned(&mut questions, 3_001), 0);
    }
}
