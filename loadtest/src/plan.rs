//! What a bot is to do.

use std::net::IpAddr;
use std::time::Instant;

use protocol::id::ParticipantId;

use crate::camera::Camera;

/// What all bots do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They come in; what they receive does not count yet.
    Joining,
    /// What is received counts.
    Measuring,
    /// They leave.
    Over,
}

/// What a bot sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    Nothing,
    Audio,
    AudioAndVideo(Camera),
}

impl Sends {
    /// Its camera, if it has one.
    pub fn camera(self) -> Option<Camera> {
        match self {
            Self::Nothing | Self::Audio => None,
            Self::AudioAndVideo(camera) => Some(camera),
        }
    }
}

/// How many streams of each kind a bot can receive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    pub audio: usize,
    pub video: usize,
}

/// Whose cameras a bot shows.
#[derive(Debug, Clone)]
pub enum Watch {
    /// As many as it has slots, of those that the room says are on: the ones that come next after itself.
    Everybody,
    /// These, as nobody says who is in the room.
    These(Vec<ParticipantId>),
}

/// How large a bot shows them, in pixels: width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    pub first: (u16, u16),
    pub others: (u16, u16),
}

impl Tiles {
    /// One large picture and a row of small ones.
    pub const SPEAKER: Self = Self {
        first: (1_280, 720),
        others: (320, 180),
    };
    /// All as large as the plain camera is.
    pub const GRID: Self = Self::all((640, 360));

    /// All of one size.
    pub const fn all(size: (u16, u16)) -> Self {
        Self {
            first: size,
            others: size,
        }
    }
}

/// What a bot is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its number, which its packets carry.
    pub number: u32,
    pub sends: Sends,
    pub slots: Slots,
    pub watch: Watch,
    pub tiles: Tiles,
    /// The local address of its media.
    pub ip: IpAddr,
    /// The zero of the process's clock.
    pub epoch: Instant,
}
