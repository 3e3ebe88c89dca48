//! Which simulcast layer fits a tile, the lowest whose picture covers its pixels; and what layers usually take.

use protocol::media::{Layer, Source};

/// A picture may be stretched by so much before a larger layer is worth its bits, in percent.
const STRETCH: u64 = 10;
/// The picture of a camera's highest layer until a keyframe has told it; each layer below has half of it.
const USUAL: (u16, u16) = (1_280, 720);

/// What layers are taken to have until they are measured, in bits per second, the lowest first.
const CAMERA_RATES: [u64; 3] = [150_000, 500_000, 1_700_000];
const SCREEN_RATES: [u64; 2] = [180_000, 2_500_000];

/// What the layer of this number, of so many, usually takes in bits per second.
pub fn usual_rate(source: Source, layers: usize, layer: usize) -> u64 {
    let usual: &[u64] = match source {
        Source::Screen => &SCREEN_RATES,
        _ => &CAMERA_RATES,
    };
    // A track in one layer is a picture of middle size, whatever it is called.
    let index = if layers == 1 { 1 } else { layer };
    let usual = usual.get(index).or(usual.last());
    usual.copied().unwrap_or_default()
}

/// The layer for a tile of this width and height in device pixels. `sizes` are the layers' pictures, the lowest first, as
/// far as they are known.
pub fn for_tile(
    source: Source,
    sizes: impl ExactSizeIterator<Item = Option<(u16, u16)>>,
    tile: (u16, u16),
) -> Layer {
    let highest = sizes.len().saturating_sub(1);
    // The layers of a screen differ in frame rate and not in size: whoever sees it, sees it move.
    if source != Source::Camera {
        return Layer(highest as u8);
    }
    let covering = sizes.enumerate().position(|(index, size)| {
        let (width, height) = size.unwrap_or_else(|| guess(highest - index));
        covers((width, height), tile)
    });
    Layer(covering.unwrap_or(highest) as u8)
}

/// The picture of a layer that is so many below the highest.
fn guess(below: usize) -> (u16, u16) {
    (USUAL.0 >> below.min(8), USUAL.1 >> below.min(8))
}

/// Whether a picture fills a tile without being stretched too far. Where their aspects differ the picture is cut, so both
/// sides have to fit; but a tile on its side (a phone held upright, shown in a wide tile) asks for no more than its area.
fn covers(picture: (u16, u16), tile: (u16, u16)) -> bool {
    let [(w, h), (tile_w, tile_h)] = [picture, tile].map(|(w, h)| (u64::from(w), u64::from(h)));
    let reaches = |have: u64, need: u64| have * (100 + STRETCH) >= need * 100;
    let both = reaches(w, tile_w) && reaches(h, tile_h);
    let turned = (w > h) != (tile_w > tile_h);
    both || turned && reaches(w.min(h), tile_w.min(tile_h)) && w * h >= tile_w * tile_h
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: [Option<(u16, u16)>; 3] = [None; 3];

    fn camera(sizes: &[Option<(u16, u16)>], tile: (u16, u16)) -> u8 {
        for_tile(Source::Camera, sizes.iter().copied(), tile).0
    }

    #[test]
    fn the_lowest_layer_that_covers_the_tile_is_chosen() {
        for (tile, layer) in [
            ((0, 0), 0),
            ((320, 180), 0),
            ((352, 198), 0),
            ((356, 200), 1),
            ((640, 360), 1),
            ((704, 396), 1),
            ((720, 405), 2),
            ((1_920, 1_080), 2),
            // Square, and cut at the sides.
            ((190, 190), 0),
            ((300, 300), 1),
            // Wide and flat.
            ((640, 90), 1),
        ] {
            assert_eq!(camera(&UNKNOWN, tile), layer, "{tile:?}");
        }
    }

    #[test]
    fn the_sizes_that_keyframes_told_count() {
        let upright = [Some((180, 320)), Some((360, 640)), Some((720, 1_280))];
        assert_eq!(camera(&upright, (180, 320)), 0);
        assert_eq!(camera(&upright, (320, 180)), 0, "shown on its side");
        assert_eq!(camera(&upright, (640, 360)), 1);
        let small = [Some((160, 90)), Some((320, 180)), None];
        assert_eq!(camera(&small, (320, 180)), 1);
        assert_eq!(camera(&small[..2], (1_280, 720)), 1, "there is no more");
    }

    #[test]
    fn a_screen_is_always_shown_at_its_full_frame_rate() {
        let screen = |tile| for_tile(Source::Screen, [None; 2].into_iter(), tile);
        assert_eq!(screen((160, 90)), Layer(1));
        assert_eq!(screen((1_920, 1_080)), Layer(1));
        let one = for_tile(Source::Microphone, [None].into_iter(), (1, 1));
        assert_eq!(one, Layer(0));
    }
}
