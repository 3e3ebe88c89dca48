//! Which slot a track goes to. Slots come in pairs: the same place among those for sound and those for pictures, which a client
//! plays in step (`session::answer`). A picture stays where it is, since it needs a keyframe to go elsewhere; sound follows it.

use protocol::media::{Source, TrackId};

/// A sound that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Voice<K> {
    pub track: K,
    /// The slot that is paired with its picture's.
    pub home: Option<usize>,
    /// Whether it is heard right now: then it stays where it is, since a step aside could be heard too.
    pub speaks: bool,
}

/// What the slots for sound carry next. There are no more sounds than slots.
pub(super) fn place_sounds<K: Copy + PartialEq>(
    carried: &[Option<K>],
    wanted: &[Voice<K>],
) -> Vec<Option<K>> {
    let mut places = vec![None; carried.len()];
    let place_of = |sound: &Voice<K>| {
        let mut carried = carried.iter();
        carried.position(|carried| *carried == Some(sound.track))
    };
    // In this order, each with what the ones before have left.
    place(&mut places, wanted, |sound| {
        place_of(sound).filter(|_| sound.speaks)
    });
    place(&mut places, wanted, |sound| sound.home);
    place(&mut places, wanted, place_of);
    for sound in wanted {
        // Pictures come in the first slots.
        let free = places.iter().rposition(Option::is_none);
        place(&mut places, std::slice::from_ref(sound), |_| free);
    }
    places
}

/// Puts each that has no place yet where it is to go, if that is free.
fn place<K: Copy + PartialEq>(
    places: &mut [Option<K>],
    wanted: &[Voice<K>],
    to: impl Fn(&Voice<K>) -> Option<usize>,
) {
    for sound in wanted {
        if !places.contains(&Some(sound.track))
            && let Some(place) = to(sound).and_then(|place| places.get_mut(place))
            && place.is_none()
        {
            *place = Some(sound.track);
        }
    }
}

/// The slot for a picture that has none, of those that are free: one of a pair, unless more pictures are shown than there are
/// pairs and nothing is heard of this one.
pub(super) fn place_picture(
    free: impl Iterator<Item = usize> + Clone,
    pairs: usize,
    shown: usize,
    is_heard: bool,
) -> Option<usize> {
    let first = free.clone().next();
    if is_heard || shown <= pairs {
        return first;
    }
    free.clone().find(|slot| *slot >= pairs).or(first)
}

/// What is played in step with a track.
pub(super) fn partner(track: &TrackId) -> TrackId {
    TrackId {
        participant: track.participant.clone(),
        source: match track.source {
            Source::Microphone => Source::Camera,
            Source::Camera => Source::Microphone,
            Source::Screen => Source::ScreenAudio,
            Source::ScreenAudio => Source::Screen,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(track: char, home: Option<usize>, speaks: bool) -> Voice<char> {
        Voice {
            track,
            home,
            speaks,
        }
    }

    fn placed(carried: &str, wanted: &[Voice<char>]) -> String {
        let carried: Vec<_> = carried.chars().map(|c| (c != '-').then_some(c)).collect();
        let places = place_sounds(&carried, wanted);
        // What is placed stays placed.
        assert_eq!(place_sounds(&places, wanted), places, "it is at rest");
        places.iter().map(|place| place.unwrap_or('-')).collect()
    }

    #[test]
    fn sound_goes_where_its_picture_is() {
        assert_eq!(placed("---", &[sound('a', Some(1), true)]), "-a-");
        let both = [sound('a', Some(2), true), sound('b', Some(0), false)];
        assert_eq!(placed("---", &both), "b-a");
        assert_eq!(
            placed("---", &[sound('a', Some(7), true)]),
            "--a",
            "none of a pair"
        );
        assert_eq!(placed("-x-", &[sound('a', None, true)]), "--a");
    }

    #[test]
    fn whoever_is_at_the_wrong_place_moves_in_a_pause_and_no_sooner() {
        let speaks = [sound('a', Some(1), true), sound('b', Some(0), false)];
        assert_eq!(placed("ab-", &speaks), "ab-");
        let pauses = [sound('a', Some(1), false), sound('b', Some(0), false)];
        assert_eq!(placed("ab-", &pauses), "ba-");
        let one = [sound('a', Some(1), false), sound('b', Some(0), true)];
        assert_eq!(placed("ab-", &one), "ab-", "its place is taken");
    }

    #[test]
    fn without_a_picture_sound_stays_unless_it_is_in_the_way() {
        let still = [sound('a', None, false), sound('b', None, false)];
        assert_eq!(placed("-ba", &still), "-ba");
        let comes = [sound('c', Some(1), true), sound('b', None, false)];
        assert_eq!(placed("-b-", &comes), "-cb");
    }

    #[test]
    fn pairs_are_for_who_is_heard() {
        let free = [1, 2, 5, 6].into_iter();
        assert_eq!(place_picture(free.clone(), 3, 9, true), Some(1));
        assert_eq!(place_picture(free.clone(), 3, 9, false), Some(5));
        assert_eq!(place_picture(free.clone(), 3, 3, false), Some(1));
        assert_eq!(place_picture([2].into_iter(), 3, 9, false), Some(2));
        assert_eq!(place_picture([].into_iter(), 3, 9, true), None);
    }
}
