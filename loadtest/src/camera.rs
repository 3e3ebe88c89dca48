//! The cameras that bots have: layers, their sizes and rates, and the frames that these make.

use crate::media::MAX_VIDEO_PAYLOAD_BYTES;

/// Most packets of a frame: receivers count them in the bits of a word.
const MAX_PARTS: u32 = 64;
/// A keyframe is so many times as large as the mean frame.
const KEYFRAME_FACTOR: u32 = 6;
/// Sizes of the other frames vary by so much up and down, in percent.
const VARIATION: u32 = 30;

/// How much a camera layer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many packets of 1,100 bytes in every frame.
    Packets(u32),
    /// Frames of varying size that make so many bits a second.
    Bitrate(u32),
}

/// A camera layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Its name in the offer, where there is more than one.
    pub rid: &'static str,
    pub width: u16,
    pub height: u16,
    pub rate: Rate,
}

/// A camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Camera {
    /// Frames a second, of every layer.
    pub frames: u32,
    /// The lowest first.
    pub layers: &'static [Layer],
}

const fn single(packets: u32) -> Layer {
    Layer {
        rid: "f",
        width: 640,
        height: 360,
        rate: Rate::Packets(packets),
    }
}

const fn layer(rid: &'static str, width: u16, height: u16, bitrate: u32) -> Layer {
    let rate = Rate::Bitrate(bitrate);
    Layer {
        rid,
        width,
        height,
        rate,
    }
}

impl Camera {
    /// 64 packets a second, about 560 kbit/s, in one layer.
    pub const PLAIN: Self = Self {
        frames: 32,
        layers: &[single(2)],
    };
    /// 400 packets a second, which with 50 of audio makes 450.
    pub const HEAVY: Self = Self {
        frames: 25,
        layers: &[single(16)],
    };
    /// The camera of the web app: three layers, each twice as wide and high as the one below.
    pub const SIMULCAST: Self = Self {
        frames: 30,
        layers: &[
            layer("q", 320, 180, 150_000),
            layer("h", 640, 360, 500_000),
            layer("f", 1_280, 720, 1_700_000),
        ],
    };

    /// The names of its layers for the offer; none where there is but one.
    pub fn rids(self) -> impl Iterator<Item = &'static str> {
        let several = self.layers.len() > 1;
        self.layers
            .iter()
            .filter(move |_| several)
            .map(|layer| layer.rid)
    }
}

impl Layer {
    /// How many packets the next frame has, and how many bytes each.
    pub fn cut(&self, frames: u32, keyframe: bool, rng: &mut fastrand::Rng) -> (u8, usize) {
        match self.rate {
            Rate::Packets(packets) => (packets.clamp(1, MAX_PARTS) as u8, MAX_VIDEO_PAYLOAD_BYTES),
            Rate::Bitrate(bitrate) => {
                let mean = bitrate / 8 / frames.max(1);
                let bytes = if keyframe {
                    mean * KEYFRAME_FACTOR
                } else {
                    mean * (100 - VARIATION + rng.u32(0..=2 * VARIATION)) / 100
                };
                let bytes = bytes as usize;
                let parts = bytes.div_ceil(MAX_VIDEO_PAYLOAD_BYTES);
                let parts = parts.clamp(1, MAX_PARTS as usize);
                // Equal parts, as browsers cut them.
                (parts as u8, bytes.div_ceil(parts))
            }
        }
    }
}
