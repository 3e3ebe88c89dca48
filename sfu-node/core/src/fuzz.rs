//! Doors for the fuzz targets alone (feature `fuzz`): what else only comes behind a cipher, without it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::media::{Codec, MediaKind};

use crate::bindings::Bindings;
use crate::egress::estimate::{Estimator, Kind, MAX_BITRATE, MIN_BITRATE};
use crate::egress::extensions::Extensions;
use crate::egress::stream::{NegotiatedSlot, SlotCodec};
use crate::egress::subscriber::Subscriber;
use crate::packet::rtp::RtpPacket;
use crate::packet::{Packet, Vp8, read_relay};
use crate::rewrite::Rewriter;
use crate::router::Router;

pub use crate::engine::fuzz::Peered;
pub use crate::session::fuzz::{Handshake, Offers};

const MS: Duration = Duration::from_millis(1);
/// The first slot's SSRC, and that of its repair packets.
const SLOT: u32 = 0x0101_0101;
const REPAIR: u32 = 0x0202_0202;

/// Cuts an input into pieces: each after its length in one byte.
pub fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&len, rest) = data.split_first()?;
        let (piece, rest) = rest.split_at(usize::from(len).min(rest.len()));
        data = rest;
        Some(piece)
    })
}

/// RTP packets of one stream, with payloads of every codec: headers, descriptors, and what a slot makes of them.
pub fn rtp(mut now: Instant, data: &[u8]) {
    let mut highest = None;
    let mut slots = [MediaKind::Audio, MediaKind::Video].map(|kind| Rewriter::new(kind, 65_530, 9));
    for piece in pieces(data) {
        now += MS;
        if let Some(packet) = RtpPacket::read(piece) {
            let _ = (packet.element(1), packet.element(14), packet.payload());
        }
        crate::session::fuzz::names(piece);
        for codec in Codec::ALL {
            let _ = Packet::new(9, 9, false, codec, None, piece.into()).size();
        }
        if let Some(vp8) = Vp8::parse(piece) {
            let mut copy = piece.to_vec();
            vp8.patch(&mut copy, Some(0x7FFF), Some(0xFF));
            assert_eq!(Vp8::parse(&copy).map(|new| new.len), Some(vp8.len));
        }
        let Some(packet) = read_relay(piece, highest) else {
            continue;
        };
        highest = highest.max(Some(packet.sequence));
        let _ = packet.size();
        for slot in &mut slots {
            let _ = slot.rewrite(now, &packet);
        }
        if packet.marker && packet.timestamp % 7 == 0 {
            slots.iter_mut().for_each(Rewriter::switch);
        }
    }
}

/// STUN bindings of strangers, none of whom is sent more than came from there.
pub fn bindings(mut now: Instant, data: &[u8]) {
    let mut bindings = Bindings::default();
    let mut came = [0; 256];
    for piece in pieces(data) {
        let [wait, who, request @ ..] = piece else {
            continue;
        };
        now += MS * u32::from(*wait);
        let from = SocketAddr::from(([10, 0, 0, *who], 9));
        let balance: &mut usize = &mut came[usize::from(*who)];
        *balance += request.len();
        if let Some(answer) = bindings.answer(now, from, request) {
            assert!(answer.len() <= *balance, "{} for {balance}", answer.len());
            *balance -= answer.len();
        }
    }
}

/// Compound RTCP packets of one subscriber.
pub fn rtcp(mut now: Instant, data: &[u8]) {
    let extensions = Extensions {
        mid: Some(4),
        twcc: Some(3),
        level: Some(1),
    };
    let slots = [(MediaKind::Audio, 0), (MediaKind::Video, 1)].map(|(kind, number)| {
        let codecs = Codec::ALL.into_iter().filter(|codec| codec.kind() == kind);
        NegotiatedSlot {
            mid: number.to_string(),
            kind,
            codecs: codecs
                .map(|codec| SlotCodec {
                    codec,
                    pt: 96,
                    rtx_pt: Some(97),
                })
                .collect(),
            ssrc: SLOT + number,
            rtx_ssrc: Some(REPAIR + number),
            cname: "fuzz".into(),
            extensions,
        }
    });
    let mut subscriber = Subscriber::new(now, slots.into());
    let router = Router::default();
    for piece in pieces(data) {
        now += 20 * MS;
        let mut requests = Default::default();
        subscriber.feedback(now, piece, &router, &mut requests);
        let _ = (
            subscriber.held_pleas(now),
            subscriber.take_journey(),
            subscriber.limit(now),
        );
        within_bounds(subscriber.estimate());
    }
}

/// What a path may be taken for.
fn within_bounds(estimate: u64) {
    assert!((1..=MAX_BITRATE).contains(&estimate), "{estimate} bit/s");
}

/// A life of an estimator: packets that leave, feedback of any kind, and time.
pub fn estimator(mut now: Instant, data: &[u8]) {
    let mut script = Script(data);
    let mut estimator = Estimator::new(now);
    let mut sequence = 0_u16;
    while let Some(step) = script.byte() {
        match step % 9 {
            0 => now += MS * u32::from(script.word()),
            1 => estimator.on_feedback(now, script.piece()),
            2 => estimator.on_remb(u64::from(script.word()) << (script.byte().unwrap_or(0) % 48)),
            3 => {
                estimator.on_report(script.word().into(), script.word().into());
                let [sent, arrived] =
                    [script.word(), script.word()].map(|rate| u64::from(rate) * 1_000);
                estimator.on_reports(now, sent, arrived, MS * u32::from(script.word()));
            }
            4 => estimator.on_timeout(now),
            5 => estimator.set_wanted(u64::from(script.word()) * 1_000),
            6 => {
                let (kind, bytes) = match estimator.next_probe(now) {
                    Some(probe) => (Kind::Probe(probe.cluster), 1_200),
                    None => (Kind::Media, usize::from(script.word() % 1_500)),
                };
                for _ in 0..script.byte().unwrap_or(0) % 32 {
                    sequence = sequence.wrapping_add(1);
                    estimator.on_sent(now, sequence, bytes, kind);
                    now += MS;
                }
            }
            // Feedback on what has just left, from a receiver with any clock.
            _ => {
                let count = script.byte().unwrap_or(1) % 64;
                let mut fci = sequence
                    .wrapping_sub(u16::from(count))
                    .to_be_bytes()
                    .to_vec();
                fci.extend([0, count]);
                fci.extend_from_slice(script.piece());
                estimator.on_feedback(now, &fci);
            }
        }
        within_bounds(estimator.estimate().max(MIN_BITRATE));
        let _ = (
            estimator.take_loss(),
            estimator.take_jitter(),
            estimator.acknowledged(),
        );
    }
}

/// An input read as numbers; what is missing is 0.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn word(&mut self) -> u16 {
        let high = self.byte().unwrap_or(0);
        u16::from_be_bytes([high, self.byte().unwrap_or(0)])
    }

    fn piece(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte().unwrap_or(0)).min(self.0.len());
        let (piece, rest) = self.0.split_at(len);
        self.0 = rest;
        piece
    }
}
