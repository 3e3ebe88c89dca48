//! What a receive slot carries, and how it gets from one layer to the next: always at a keyframe.

use crate::router::LayerKey;

/// What a slot carries now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carrying {
    /// Nothing.
    #[default]
    Nothing,
    /// Nothing yet: this layer from its next keyframe on.
    Waiting(LayerKey),
    /// Nothing yet: whichever layer has a keyframe first, and in the end `to`. For a layer that does not come.
    Either { lower: LayerKey, to: LayerKey },
    /// This layer.
    Live(LayerKey),
    /// `from` until the first keyframe of `to`: the picture never stands still for a switch.
    Switching { from: LayerKey, to: LayerKey },
}

impl Carrying {
    /// The layer that the slot is set to.
    pub fn target(self) -> Option<LayerKey> {
        match self {
            Carrying::Nothing => None,
            Carrying::Waiting(to)
            | Carrying::Live(to)
            | Carrying::Either { to, .. }
            | Carrying::Switching { to, .. } => Some(to),
        }
    }

    /// The layer whose packets go out.
    pub fn flowing(self) -> Option<LayerKey> {
        match self {
            Carrying::Live(now) | Carrying::Switching { from: now, .. } => Some(now),
            Carrying::Nothing | Carrying::Waiting(_) | Carrying::Either { .. } => None,
        }
    }

    /// The layers that must be handed to the slot.
    pub fn layers(self) -> impl Iterator<Item = LayerKey> {
        let beside = match self {
            Carrying::Either { lower, .. } => Some(lower),
            Carrying::Switching { from, .. } => Some(from),
            Carrying::Nothing | Carrying::Waiting(_) | Carrying::Live(_) => None,
        };
        self.target().into_iter().chain(beside)
    }

    /// Set to another layer. What flows of the same track flows on until that one can take over.
    pub fn steer(self, wanted: Option<LayerKey>) -> Self {
        let Some(wanted) = wanted else {
            return Carrying::Nothing;
        };
        if self.target() == Some(wanted) {
            return self;
        }
        if let Carrying::Either { lower, .. } = self
            && lower.0 == wanted.0
            && lower != wanted
        {
            return Carrying::Either { lower, to: wanted };
        }
        match self.flowing() {
            Some(now) if now == wanted => Carrying::Live(now),
            Some(now) if now.0 == wanted.0 => Carrying::Switching {
                from: now,
                to: wanted,
            },
            _ => Carrying::Waiting(wanted),
        }
    }

    /// The layer that the slot is set to does not come: a lower one has to do until it does.
    pub fn fall_back(self, lower: LayerKey) -> Self {
        match self.target() {
            Some(to) if to != lower && self.flowing() != Some(lower) => {
                Carrying::Either { lower, to }
            }
            _ => self,
        }
    }

    /// A packet of this layer was not sent: what follows it cannot be shown, so if it flows, a keyframe has to come first.
    pub fn interrupt(self, key: LayerKey) -> Self {
        match self {
            Carrying::Live(now) if now == key => Carrying::Waiting(now),
            Carrying::Switching { from, to } if from == key => Carrying::Either { lower: from, to },
            _ => self,
        }
    }

    /// What the slot carries once it has let a packet of this layer through; `None` when it does not. `starts`: a decoder
    /// can start with this packet.
    pub fn accept(self, key: LayerKey, starts: bool) -> Option<Self> {
        match self {
            Carrying::Live(now) if now == key => Some(self),
            Carrying::Waiting(to) if to == key && starts => Some(Carrying::Live(to)),
            Carrying::Either { to, .. } | Carrying::Switching { to, .. } if to == key && starts => {
                Some(Carrying::Live(to))
            }
            Carrying::Either { lower, to } if lower == key && starts => {
                Some(Carrying::Switching { from: lower, to })
            }
            Carrying::Switching { from, .. } if from == key => Some(self),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::{Codec, Layer, Source, TrackId};

    use super::*;
    use crate::key::MemberKey;
    use crate::router::{Origin, Router};

    /// The layers of two cameras.
    fn layers() -> [[LayerKey; 3]; 2] {
        let mut router = Router::default();
        ["a", "b"].map(|name| {
            let id = TrackId {
                participant: name.parse().unwrap(),
                source: Source::Camera,
            };
            let track = router.add(id, Codec::Vp8, Origin::Local(MemberKey::default()), 3);
            [0, 1, 2].map(|layer| (track, Layer(layer)))
        })
    }

    #[test]
    fn a_switch_between_layers_happens_at_the_keyframe() {
        let [[low, middle, high], _] = layers();
        let live = Carrying::Waiting(low).accept(low, true).unwrap();
        assert_eq!(live, Carrying::Live(low));
        let switching = live.steer(Some(high));
        assert_eq!(switching.layers().collect::<Vec<_>>(), [high, low]);
        assert_eq!(switching.accept(high, false), None);
        assert_eq!(switching.accept(low, false), Some(switching));
        assert_eq!(switching.accept(high, true), Some(Carrying::Live(high)));
        // The wish changes while it waits.
        let other = switching.steer(Some(middle));
        assert_eq!(other.layers().collect::<Vec<_>>(), [middle, low]);
        assert_eq!(other.steer(Some(low)), Carrying::Live(low));
        assert_eq!(other.steer(None), Carrying::Nothing);
    }

    #[test]
    fn what_is_interrupted_goes_on_at_a_keyframe_of_it_or_of_what_it_was_to_become() {
        let [[low, middle, high], _] = layers();
        let waiting = Carrying::Live(low).interrupt(low);
        assert_eq!(waiting, Carrying::Waiting(low));
        let switching = Carrying::Switching {
            from: high,
            to: low,
        };
        let either = switching.interrupt(high);
        assert_eq!(either.flowing(), None);
        assert_eq!(either.accept(high, true), Some(switching));
        assert_eq!(either.accept(low, true), Some(Carrying::Live(low)));
        // What does not flow is not interrupted.
        assert_eq!(switching.interrupt(low), switching);
        assert_eq!(waiting.interrupt(low), waiting);
        assert_eq!(Carrying::Live(low).interrupt(middle), Carrying::Live(low));
    }

    #[test]
    fn another_track_starts_at_its_own_keyframe_and_stops_the_first_at_once() {
        let [[low, ..], [other, ..]] = layers();
        let next = Carrying::Live(low).steer(Some(other));
        assert_eq!(next, Carrying::Waiting(other));
        assert_eq!(next.accept(low, true), None);
        assert_eq!(next.accept(other, false), None);
        assert_eq!(next.accept(other, true), Some(Carrying::Live(other)));
    }

    #[test]
    fn a_layer_that_does_not_come_is_replaced_until_it_does() {
        let [[low, middle, high], _] = layers();
        for stuck in [
            Carrying::Waiting(high),
            Carrying::Live(high),
            Carrying::Switching {
                from: middle,
                to: high,
            },
        ] {
            let either = stuck.fall_back(low);
            assert_eq!(
                either,
                Carrying::Either {
                    lower: low,
                    to: high
                }
            );
            let lower = either.accept(low, true).unwrap();
            assert_eq!(lower.flowing(), Some(low));
            assert_eq!(lower.fall_back(low), lower);
            assert_eq!(lower.accept(high, true), Some(Carrying::Live(high)));
            assert_eq!(either.accept(high, true), Some(Carrying::Live(high)));
            assert_eq!(either.accept(high, false), None);
        }
        let either = Carrying::Either {
            lower: low,
            to: high,
        };
        assert_eq!(
            either.steer(Some(middle)),
            Carrying::Either {
                lower: low,
                to: middle
            }
        );
        assert_eq!(either.steer(Some(low)), Carrying::Waiting(low));
        assert_eq!(Carrying::Live(low).fall_back(low), Carrying::Live(low));
        assert_eq!(Carrying::Nothing.fall_back(low), Carrying::Nothing);
    }
}
