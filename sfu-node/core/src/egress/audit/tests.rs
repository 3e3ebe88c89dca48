//! Each fault that the checker is there for is put into a stream, and is found.

use std::time::{Duration, Instant};

use protocol::media::{Codec, Layer, MediaKind};

use super::{Audit, Clear, LONGEST_WAIT, Violation};
use crate::egress::slot::Entered;
use crate::key::TrackKey;
use crate::packet::Packet;
use crate::packet::rtp::FixedHeader;

const MS: Duration = Duration::from_millis(1);

/// A packet as it leaves, and as its source sent it.
#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u64,
    timestamp: u32,
    picture: u16,
    source: u64,
    source_timestamp: u32,
    source_picture: u16,
    stretch: u32,
    starts: bool,
}

/// A VP8 payload with this picture id.
fn payload(picture: u16) -> Vec<u8> {
    let [high, low] = (picture | 0x8000).to_be_bytes();
    vec![0x90, 0x80, high, low, 1]
}

/// A stream of frames of two packets, and a checker.
struct Stream {
    audit: Audit,
    now: Instant,
    next: Sent,
    came: Vec<u64>,
}

impl Stream {
    /// A keyframe has been sent.
    fn new() -> Self {
        let mut stream = Self {
            audit: Audit::new([MediaKind::Video].into_iter()),
            now: Instant::now(),
            next: Sent {
                number: 65_534,
                timestamp: 100,
                picture: 126,
                source: 7,
                source_timestamp: 5_000,
                source_picture: 30,
                stretch: 1,
                starts: true,
            },
            came: Vec::new(),
        };
        stream.go_on(3);
        stream
    }

    /// Sends what comes next, so many times.
    fn go_on(&mut self, times: usize) {
        for _ in 0..times {
            assert_eq!(self.send(self.next), Ok(()));
            self.step();
        }
    }

    /// What comes next is counted on, unsent.
    fn step(&mut self) {
        let next = &mut self.next;
        next.number += 1;
        next.source += 1;
        next.starts = false;
        if next.source.is_multiple_of(2) {
            next.timestamp += 3_000;
            next.source_timestamp += 3_000;
            next.picture += 1;
            next.source_picture += 1;
        }
    }

    fn send(&mut self, sent: Sent) -> Result<(), Violation> {
        let header = FixedHeader {
            sequence: sent.number as u16,
            timestamp: sent.timestamp,
            ..FixedHeader::default()
        };
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(payload(sent.picture));
        let packet = Packet::new(
            sent.source,
            sent.source_timestamp,
            false,
            Codec::Vp8,
            None,
            payload(sent.source_picture).into(),
        );
        let entered = Entered {
            key: (TrackKey::default(), Layer(0)),
            sequence: sent.source,
            stretch: sent.stretch,
            starts: sent.starts,
        };
        let clear = Clear {
            bytes: &bytes,
            number: sent.number,
        };
        let came = |source| self.came.contains(&source);
        self.audit
            .media(self.now, 0, clear, (&entered, &packet), came)
    }
}

#[test]
fn a_stream_as_it_should_be_passes() {
    let mut stream = Stream::new();
    stream.go_on(10);
    // One is lost on its way to us, and comes late.
    let late = stream.next;
    stream.step();
    stream.go_on(4);
    stream.came.push(late.source);
    assert_eq!(stream.send(late), Ok(()));
    stream.now += LONGEST_WAIT * 2;
    stream.go_on(4);
    // Something is held back, and a keyframe closes up.
    stream.next.source += 40;
    stream.next.source_picture += 17;
    stream.next.source_timestamp += 60_000;
    stream.next.timestamp += 60_000;
    stream.next.picture += 1;
    stream.next.starts = true;
    stream.go_on(2_000);
}

#[test]
fn a_number_that_comes_twice_is_found() {
    let mut stream = Stream::new();
    let again = stream.next;
    stream.go_on(3);
    assert_eq!(stream.send(again), Err(Violation::Twice(again.number)));
}

#[test]
fn a_number_that_is_missing_is_found_when_the_source_has_none_missing() {
    let mut stream = Stream::new();
    let missing = stream.next.number;
    stream.next.number += 1;
    assert_eq!(stream.send(stream.next), Err(Violation::Missing(missing)));
    // Nor does a keyframe excuse it.
    let mut stream = Stream::new();
    stream.next.number += 1;
    stream.next.stretch += 1;
    stream.next.starts = true;
    assert_eq!(stream.send(stream.next), Err(Violation::Missing(missing)));
}

#[test]
fn what_came_late_and_was_never_sent_is_found() {
    let mut stream = Stream::new();
    let late = stream.next;
    stream.step();
    stream.go_on(1);
    stream.came.push(late.source);
    stream.go_on(1);
    stream.now += LONGEST_WAIT + MS;
    assert_eq!(
        stream.send(stream.next),
        Err(Violation::Withheld(late.number))
    );
}

#[test]
fn what_came_late_may_leave_as_repair() {
    let mut stream = Stream::new();
    let late = stream.next;
    stream.step();
    stream.go_on(1);
    stream.came.push(late.source);
    stream.go_on(1);
    stream.audit.repaired(0, late.number);
    stream.now += LONGEST_WAIT + MS;
    stream.go_on(1);
}

#[test]
fn a_gap_that_is_closed_within_a_frame_or_before_an_interframe_is_found() {
    for left_out in [1, 2] {
        let mut stream = Stream::new();
        let number = stream.next.number;
        (0..left_out).for_each(|_| stream.step());
        stream.next.number = number;
        assert_eq!(stream.send(stream.next), Err(Violation::Cut(number)));
    }
}

#[test]
fn a_time_that_runs_back_or_away_from_the_source_is_found() {
    let mut stream = Stream::new();
    let number = stream.next.number;
    for (off, starts) in [(1, false), (u32::MAX, false), (u32::MAX - 90_000, true)] {
        let mut sent = stream.next;
        sent.timestamp = sent.timestamp.wrapping_add(off);
        sent.starts = starts;
        sent.stretch += u32::from(starts);
        assert_eq!(stream.send(sent), Err(Violation::Time(number)), "{off}");
    }
}

#[test]
fn a_frame_that_is_glued_to_the_rest_of_another_is_found() {
    let mut stream = Stream::new();
    let mut sent = stream.next;
    sent.stretch += 1;
    sent.starts = true;
    sent.timestamp =
        stream.next.timestamp - 3_000 * u32::from(stream.next.source.is_multiple_of(2));
    assert_eq!(stream.send(sent), Err(Violation::Time(sent.number)));
}

#[test]
fn a_picture_id_that_goes_back_or_ahead_is_found() {
    for (off, starts) in [(1, false), (0x7FFF, false), (1, true), (0x7FFE, true)] {
        let mut stream = Stream::new();
        let mut sent = stream.next;
        sent.picture = sent.picture.wrapping_add(off) & 0x7FFF;
        sent.starts = starts;
        if starts {
            sent.stretch += 1;
            sent.timestamp += 1;
        }
        let found = stream.send(sent);
        assert_eq!(found, Err(Violation::Picture(sent.number)), "{off}");
    }
}

#[test]
fn bytes_that_carry_another_number_are_found() {
    let mut stream = Stream::new();
    let entered = Entered {
        key: (TrackKey::default(), Layer(0)),
        sequence: 1,
        stretch: 1,
        starts: true,
    };
    let packet = Packet::new(1, 1, false, Codec::Vp8, None, payload(1).into());
    let bytes = FixedHeader::default().to_bytes();
    for (bytes, number) in [(&bytes[..], 1), (&bytes[..7], 0)] {
        let clear = Clear { bytes, number };
        let found = stream
            .audit
            .media(stream.now, 0, clear, (&entered, &packet), |_| false);
        assert_eq!(found, Err(Violation::Malformed));
    }
}

#[test]
fn other_bytes_under_a_number_that_was_sent_are_found() {
    let mut stream = Stream::new();
    let number = stream.next.number;
    stream.go_on(1);
    stream.audit.sealed(0, number, b"sealed");
    assert_eq!(stream.audit.repeated(0, number, b"sealed"), Ok(()));
    let twice = Err(Violation::Twice(number));
    assert_eq!(stream.audit.repeated(0, number, b"another"), twice);
    let unsent = stream.audit.repeated(0, number + 1, b"sealed");
    assert_eq!(unsent, Err(Violation::Twice(number + 1)));
}

#[test]
fn repair_and_transport_wide_numbers_go_up_by_one() {
    let mut audit = Audit::new([MediaKind::Video].into_iter());
    let mut repair = |ssrc, written: u16, number| {
        let header = FixedHeader {
            sequence: written,
            ssrc,
            ..FixedHeader::default()
        };
        audit.repair(&header.to_bytes(), number)
    };
    for number in [65_535_u64, 65_536, 65_537] {
        assert_eq!(repair(1, number as u16, number), Ok(()));
        assert_eq!(
            repair(2, (number + 9) as u16, number + 9),
            Ok(()),
            "each by itself"
        );
    }
    assert_eq!(repair(1, 3, 65_539), Err(Violation::Missing(65_538)));
    assert_eq!(repair(1, 3, 65_539), Err(Violation::Twice(65_539)));
    assert_eq!(repair(1, 4, 65_541), Err(Violation::Malformed));
    for number in [65_534, 65_535, 0] {
        assert_eq!(audit.transport_wide(number), Ok(()));
    }
    let (expected, found) = (1, 2);
    let skipped = Violation::TransportWide { expected, found };
    assert_eq!(audit.transport_wide(2), Err(skipped));
}
