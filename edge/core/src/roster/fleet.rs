//! The table of a region's nodes, in memory: who takes sessions stands together, so that a join looks at a few nodes however
//! many there are.
//!
//! A join counts from the moment that a node is chosen, until the node's own report has it: whom a herd falls on is not found
//! idle by everybody.

use std::collections::{BTreeMap, HashMap, VecDeque};

use protocol::id::NodeId;
use protocol::node::Load;

use super::{Choice, Member, Remembered, Request};

/// For how long a join that a node's report does not show counts all the same, in milliseconds: who joins has offered by then,
/// or has gone.
const UNDER_WAY: u64 = 5_000;
/// How many joins a node takes between two reports if it does not say: as many handshakes as one core does in a second beside
/// its media.
const MAX_JOINS: u32 = 100;
/// From so many sessions on, what a node says of its processor tells what one more will cost.
const TELLING: u32 = 10;
/// A room stays together at its node while that is no busier than this, or than the region's mean and a quarter of it: a copy to
/// a second node costs less than a node that has three times what the others have.
const TOGETHER: f32 = 0.25;
const BUSIER: f32 = 1.25;
/// The unit in which burdens are added up, so that no sum drifts.
const PARTS: f32 = 10_000.0;

#[derive(Debug)]
struct Entry {
    node: NodeId,
    member: Member,
    /// When the joins came that no report shows yet, the oldest first.
    under_way: VecDeque<u64>,
    /// Joins since the last report.
    joins: u32,
    /// Where it stands among those that take sessions.
    open: Option<usize>,
    /// It would take sessions if it had not had as many joins as it takes until it reports again.
    busy: bool,
    /// Its burden in the sum of all.
    burden: u64,
}

impl Entry {
    fn max_joins(&self) -> u32 {
        match self.member.load.max_joins_per_interval {
            0 => MAX_JOINS,
            said => said,
        }
    }

    /// What it reported, with the joins under way.
    fn load(&self) -> Load {
        let said = self.member.load;
        let coming = self.under_way.len() as u32;
        let each = match said.sessions {
            TELLING.. => said.cpu / said.sessions as f32,
            _ => 1.0 / said.max_sessions.max(1) as f32,
        };
        Load {
            sessions: said.sessions + coming,
            cpu: said.cpu + coming as f32 * each,
            ..said
        }
    }

    /// Its busier side: processor or sessions.
    fn burden(&self) -> f32 {
        let load = self.load();
        let sessions = load.sessions as f32 / load.max_sessions.max(1) as f32;
        load.cpu.max(sessions)
    }
}

/// The nodes of a region.
#[derive(Debug, Default)]
pub struct Fleet {
    entries: Vec<Entry>,
    places: HashMap<NodeId, usize>,
    /// Those that take sessions, as far as is known: who has fallen silent since is found out when it is drawn.
    open: Vec<usize>,
    /// How many are busy.
    busy: usize,
    /// The burdens of all.
    burden: u64,
    /// Those that were here and may come back, and until when they are awaited.
    awaited: BTreeMap<NodeId, u64>,
    /// How often a node was looked at in search of one.
    #[cfg(test)]
    looks: std::cell::Cell<u64>,
}

impl Fleet {
    /// A node has registered, or is found to be registered after a sleep.
    pub fn register(&mut self, node: NodeId, member: Member) {
        self.awaited.remove(&node);
        let place = match self.places.get(&node) {
            Some(place) => *place,
            None => {
                self.places.insert(node.clone(), self.entries.len());
                self.entries.push(Entry {
                    node,
                    member: member.clone(),
                    under_way: VecDeque::new(),
                    joins: 0,
                    open: None,
                    busy: false,
                    burden: 0,
                });
                self.entries.len() - 1
            }
        };
        self.entries[place].member = member;
        self.sort(place);
    }

    /// A node says how it is. Returns what is known of it now; nothing of one that has not registered.
    pub fn report(&mut self, node: &NodeId, load: Load, now: u64) -> Option<&Member> {
        let place = *self.places.get(node)?;
        let entry = &mut self.entries[place];
        let shown = load.sessions.saturating_sub(entry.member.load.sessions) as usize;
        entry.under_way.drain(..shown.min(entry.under_way.len()));
        while (entry.under_way.front()).is_some_and(|since| since + UNDER_WAY <= now) {
            entry.under_way.pop_front();
        }
        entry.joins = 0;
        entry.member.load = load;
        entry.member.heard = now;
        self.sort(place);
        Some(&self.entries[place].member)
    }

    /// A node takes no new sessions any more.
    pub fn drain(&mut self, node: &NodeId) -> Option<&Member> {
        let place = *self.places.get(node)?;
        self.entries[place].member.draining = true;
        self.sort(place);
        Some(&self.entries[place].member)
    }

    /// A node is gone for good.
    pub fn remove(&mut self, node: &NodeId) {
        self.awaited.remove(node);
        let Some(place) = self.places.remove(node) else {
            return;
        };
        self.close(place);
        let gone = self.entries.swap_remove(place);
        self.busy -= usize::from(gone.busy);
        self.burden -= gone.burden;
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.node.clone(), place);
            if let Some(at) = moved.open {
                self.open[at] = place;
            }
        }
    }

    /// A node is gone, and may come back.
    pub fn await_back(&mut self, known: &Remembered) {
        self.remove(&known.node);
        let until = known.awaited_until.unwrap_or(u64::MAX);
        self.awaited.insert(known.node.clone(), until);
    }

    /// A node has had its time to come back.
    pub fn forget(&mut self, node: &NodeId) {
        self.awaited.remove(node);
    }

    /// What is known of a node that is here.
    pub fn member(&self, node: &NodeId) -> Option<&Member> {
        Some(&self.entries[*self.places.get(node)?].member)
    }

    /// The node for a session of a room, if one can take it: one that known the room and is not far busier than
    /// the others, else the better of two random ones (which spreads almost as well as the best of all and does not stampede). The join counts from now on. `random` are two uniform
    /// numbers.
    pub fn assign(&mut self, request: &Request, now: u64, random: [u32; 2]) -> Choice {
        let chosen = self.choose(request, now, random);
        match chosen {
            Some(place) => {
                let entry = &mut self.entries[place];
                entry.under_way.push_back(now);
                entry.joins += 1;
                let node = entry.node.clone();
                self.sort(place);
                Choice::Node(node)
            }
            None if self.may_have_one(request, now) => Choice::NotKnown,
            None => Choice::Nobody,
        }
    }

    /// How busy a node may be that has the room already.
    fn together(&self) -> f32 {
        let mean = self.burden as f32 / PARTS / self.entries.len().max(1) as f32;
        TOGETHER.max(BUSIER * mean)
    }

    /// Where to reach a random one of those that take sessions, to measure the way there.
    pub fn probe(&self, random: u32) -> &[String] {
        let at = random as usize % self.open.len().max(1);
        let place = self.open.get(at);
        place.map_or(&[], |place| &self.entries[*place].member.probes)
    }

    fn choose(&mut self, request: &Request, now: u64, random: [u32; 2]) -> Option<usize> {
        let avoid =
            |node: &&NodeId| request.avoid.contains(node) || request.given_up.contains(node);
        let known = request.placed.iter().filter(|node| !avoid(node));
        let has_room = self.lightest(known, now);
        has_room
            .filter(|node| self.look(*node).burden() <= self.together())
            .or_else(|| self.draw(request, now, random))
            .or_else(|| {
                // Something went wrong there: only if there is no other.
                let avoided = request.avoid.iter();
                let avoided = avoided.filter(|node| !request.given_up.contains(node));
                let known = avoided.clone().filter(|node| request.placed.contains(node));
                self.lightest(known, now)
                    .or_else(|| self.lightest(avoided, now))
            })
    }

    fn lightest<'a>(&self, nodes: impl Iterator<Item = &'a NodeId>, now: u64) -> Option<usize> {
        let places = nodes.filter_map(|node| self.places.get(node).copied());
        let fit = places.filter(|place| {
            let entry = self.look(*place);
            entry.open.is_some() && !entry.member.is_silent(now)
        });
        fit.min_by(|a, b| self.compare(*a, *b))
    }

    /// The better of two that are neither avoided nor given up.
    fn draw(&mut self, request: &Request, now: u64, random: [u32; 2]) -> Option<usize> {
        // Those stand at the end, out of the draw.
        let mut count = self.open.len();
        for node in request.avoid.iter().chain(&request.given_up) {
            let place = self.places.get(node);
            let at = place.and_then(|place| self.entries[*place].open);
            if let Some(at) = at.filter(|at| *at < count) {
                count -= 1;
                self.swap(at, count);
            }
        }
        let first = self.living(random[0], &mut count, now)?;
        // Out of the second draw.
        let at = self.entries[first].open?;
        count -= 1;
        self.swap(at, count);
        let second = self.living(random[1], &mut count, now);
        // The order among those that are open has changed if the second draw came upon silent ones.
        let both = [Some(first), second].into_iter().flatten();
        both.min_by(|a, b| self.compare(*a, *b))
    }

    /// One of the first `count` that are open. Who is found to be silent is open no more until it reports again.
    fn living(&mut self, random: u32, count: &mut usize, now: u64) -> Option<usize> {
        while *count > 0 {
            let at = random as usize % *count;
            let place = self.open[at];
            if !self.look(place).member.is_silent(now) {
                return Some(place);
            }
            *count -= 1;
            self.swap(at, *count);
            self.close(place);
        }
        None
    }

    fn look(&self, place: usize) -> &Entry {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        &self.entries[place]
    }

    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let burden = |place: usize| self.look(place).burden();
        burden(a).total_cmp(&burden(b))
    }

    /// Whether a node may come any moment: one that was here, or one that takes joins again with its next report.
    fn may_have_one(&self, request: &Request, now: u64) -> bool {
        let awaited =
            |(node, until): (&NodeId, &u64)| now < *until && !request.given_up.contains(node);
        self.busy > 0 || self.awaited.iter().any(awaited)
    }

    /// Puts a node among those that take sessions, or takes it out.
    fn sort(&mut self, place: usize) {
        let entry = &mut self.entries[place];
        let fit = !entry.member.draining && entry.load().has_headroom();
        let is_busy = fit && entry.joins >= entry.max_joins();
        self.busy = self.busy + usize::from(is_busy) - usize::from(entry.busy);
        entry.busy = is_busy;
        let burden = (entry.burden() * PARTS) as u64;
        self.burden = self.burden + burden - entry.burden;
        entry.burden = burden;
        match (fit && !is_busy, entry.open) {
            (true, None) => {
                entry.open = Some(self.open.len());
                self.open.push(place);
            }
            (false, Some(_)) => self.close(place),
            _ => {}
        }
    }

    fn close(&mut self, place: usize) {
        if let Some(at) = self.entries[place].open.take() {
            self.open.swap_remove(at);
            if let Some(moved) = self.open.get(at) {
                self.entries[*moved].open = Some(at);
            }
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.open.swap(a, b);
        self.entries[self.open[a]].open = Some(a);
        self.entries[self.open[b]].open = Some(b);
    }
}

#[cfg(test)]
mod at_size;
#[cfg(test)]
mod tests;
