//! Whom a bot watches, and how large.

use std::collections::BTreeSet;

use protocol::client::Tile;
use protocol::id::ParticipantId;
use protocol::media::{Source, TrackId};

use crate::plan::{Tiles, Watch};

/// The people with a camera on, and those of them that are shown.
#[derive(Debug, Default)]
pub struct View {
    filming: BTreeSet<ParticipantId>,
    shown: Vec<ParticipantId>,
}

impl View {
    /// Somebody's camera is on or off.
    pub fn note(&mut self, participant: ParticipantId, films: bool) {
        if films {
            self.filming.insert(participant);
        } else {
            self.filming.remove(&participant);
        }
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// What was said before went nowhere.
    pub fn forget(&mut self) {
        self.shown.clear();
    }

    /// The tiles to be said, if they have changed.
    pub fn change(
        &mut self,
        you: &ParticipantId,
        watch: &Watch,
        most: usize,
        tiles: Tiles,
    ) -> Option<Vec<Tile>> {
        let chosen = match watch {
            Watch::These(these) => these.clone(),
            Watch::Everybody => choose(you, &self.filming, most),
        };
        if chosen == self.shown {
            return None;
        }
        self.shown = chosen;
        let sizes = std::iter::once(tiles.first).chain(std::iter::repeat(tiles.others));
        let tile = |(participant, (width, height)): (&ParticipantId, _)| Tile {
            track: TrackId {
                participant: participant.clone(),
                source: Source::Camera,
            },
            width,
            height,
            priority: 0,
        };
        Some(self.shown.iter().zip(sizes).map(tile).collect())
    }
}

/// The next so many after oneself, around the circle of all: so that everybody is watched equally often.
fn choose(
    you: &ParticipantId,
    others: &BTreeSet<ParticipantId>,
    most: usize,
) -> Vec<ParticipantId> {
    let after = others.range::<ParticipantId, _>(you..);
    let before = others.range::<ParticipantId, _>(..you);
    let circle = after.chain(before).filter(|other| *other != you);
    circle.take(most).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ParticipantId {
        format!("p{number}").parse().unwrap()
    }

    #[test]
    fn everybody_is_watched_equally_often() {
        let all: BTreeSet<_> = (0..6).map(id).collect();
        let mut watched = std::collections::HashMap::new();
        for you in &all {
            let chosen = choose(you, &all, 2);
            assert!(!chosen.contains(you));
            chosen
                .into_iter()
                .for_each(|id| *watched.entry(id).or_insert(0) += 1);
        }
        assert!(watched.len() == 6 && watched.values().all(|times| *times == 2));
        assert_eq!(choose(&id(0), &BTreeSet::new(), 2), []);
    }

    #[test]
    fn a_view_is_said_when_it_changes() {
        let mut view = View::default();
        let say = |view: &mut View| view.change(&id(0), &Watch::Everybody, 2, Tiles::SPEAKER);
        assert_eq!(say(&mut view), None);
        view.note(id(1), true);
        view.note(id(2), true);
        let tiles = say(&mut view).unwrap();
        assert_eq!((tiles[0].width, tiles[1].width), (1_280, 320));
        assert_eq!(say(&mut view), None);
        view.note(id(1), false);
        assert_eq!(say(&mut view).map(|tiles| tiles.len()), Some(1));
        view.forget();
        assert_eq!(say(&mut view).map(|tiles| tiles.len()), Some(1));
    }
}
