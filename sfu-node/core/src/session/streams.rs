//! What a client's streams carry: each SSRC belongs to the m-line that its packets name, or else the offer (RFC 9143, 9.2), and
//! there to a layer or to its repair. str0m is told of each before it sees the first packet.
//!
//! A sender may go on under another SSRC at any time. A stream that a packet names anew proves nothing until a packet of it was
//! decrypted, so two are open for each layer: the one that comes, and the one that may take its place.

mod encoding;

use std::collections::HashMap;
use std::time::Instant;

use protocol::media::{Layer, MediaKind, Source};
use str0m::Rtc;
use str0m::change::DirectApi;

use super::extmap::{self, text};
use super::negotiation::PayloadTypes;
use super::offer::short_mid;
use super::twcc::Reader;
use crate::packet::AudioLevel;
use crate::packet::rtp::{RTP_HEADER_LEN, RtpPacket};
use encoding::Encoding;

/// Streams that a client sends one after the other in all. str0m remembers each, and none begins so often.
const MAX_STREAMS: u32 = 512;

/// The m-line on which a source is sent.
#[derive(Debug)]
pub struct SourceLine {
    pub mid: String,
    /// Its place among the offer's m-lines.
    pub place: u8,
    pub source: Source,
    /// The rids of its layers, the lowest first; none without simulcast.
    pub rids: Vec<String>,
    pub ids: extmap::Incoming,
    /// What is lost may be asked for again.
    pub repairs: bool,
    /// The stream that the offer announces, and that of its repair.
    pub announced: Option<(u32, Option<u32>)>,
}

/// The streams of a client.
#[derive(Debug)]
pub struct Streams {
    lines: Vec<SourceLine>,
    encodings: Vec<Encoding>,
    /// Every SSRC that is remembered.
    known: HashMap<u32, Known>,
    reader: Reader,
    arriving: Option<Arriving>,
    /// Streams of which something was decrypted.
    begun: u32,
}

/// What an SSRC is.
#[derive(Debug, Clone, Copy)]
struct Known {
    encoding: usize,
    repairs: bool,
}

/// The packet that str0m is working on.
#[derive(Debug, Clone, Copy)]
struct Arriving {
    encoding: usize,
    /// The stream for repair that it comes in.
    repair: Option<u32>,
    level: Option<AudioLevel>,
}

/// A packet that str0m has decrypted.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    pub source: Source,
    pub layer: Layer,
    /// Its number in the layer, over every SSRC that this comes in.
    pub sequence: u64,
    pub level: Option<AudioLevel>,
}

impl Streams {
    /// The streams of these m-lines, of which none has come. `reader` is that of the session.
    pub fn new(lines: Vec<SourceLine>, reader: Reader, rtc: &mut Rtc) -> Self {
        let mut encodings = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let layers = line.rids.len().max(1) as u8;
            encodings.extend((0..layers).map(|layer| Encoding::new(at, Layer(layer))));
        }
        let mut streams = Self {
            lines,
            encodings,
            known: HashMap::new(),
            reader,
            arriving: None,
            begun: 0,
        };
        streams.expect_announced(&mut rtc.direct_api());
        streams
    }

    /// Streams whose packets may not name themselves. Layers have to: which is which no announcement tells.
    fn expect_announced(&mut self, direct: &mut DirectApi<'_>) {
        for at in 0..self.encodings.len() {
            let line = &self.lines[self.encodings[at].line];
            let Some((main, repair)) = line.announced.filter(|_| line.rids.is_empty()) else {
                continue;
            };
            if main != 0 && !self.known.contains_key(&main) {
                self.open_main(direct, main, at);
                let repair = repair.filter(|ssrc| *ssrc != 0 && !self.known.contains_key(ssrc));
                if let Some(repair) = repair {
                    self.open_repair(direct, repair, at);
                }
            }
        }
    }

    /// A datagram is given to str0m next: what it needs to know for that, it knows afterwards.
    pub fn expect(&mut self, now: Instant, rtc: &mut Rtc, types: &PayloadTypes, data: &[u8]) {
        self.arriving = None;
        let Some(ssrc) = ssrc_of_rtp(data) else {
            return;
        };
        let known = self.known.get(&ssrc).copied();
        let Some(known) = known.or_else(|| self.recognize(types, data)) else {
            // A probe, say.
            self.reader
                .expect(self.lines.iter().find_map(|line| line.ids.twcc));
            return;
        };
        let encoding = &self.encodings[known.encoding];
        let line = &self.lines[encoding.line];
        let (number, place) = (line.ids.twcc, line.place);
        self.reader.expect(number);
        let is_open = match known.repairs {
            true => encoding.repair() == Some(ssrc),
            false => encoding.is_open(ssrc),
        };
        let level = line
            .ids
            .level
            .filter(|_| line.source.kind() == MediaKind::Audio);
        self.arriving = Some(Arriving {
            encoding: known.encoding,
            repair: known.repairs.then_some(ssrc),
            // Only sound is loud: a picture that says so would take a speaker's place.
            level: level.and_then(|id| level_of(data, id)),
        });
        if is_open {
            return;
        }
        match known.repairs {
            false if encoding.may_take_over(now, ssrc) => {
                self.open_main(&mut rtc.direct_api(), ssrc, known.encoding);
            }
            false => {}
            true if encoding.main().is_some() => {
                self.open_repair(&mut rtc.direct_api(), ssrc, known.encoding);
            }
            true => self.reader.expect_early(number, place),
        }
    }

    /// str0m has decrypted a packet of this SSRC, or one that repairs it. `None` for a stream that another has followed.
    pub fn arrived(
        &mut self,
        now: Instant,
        rtc: &mut Rtc,
        ssrc: u32,
        number: u64,
    ) -> Option<Arrived> {
        let Arriving {
            encoding,
            repair,
            level,
        } = self.arriving?;
        let encoding = &mut self.encodings[encoding];
        if repair.is_some_and(|repair| encoding.is_repaired(repair)) {
            self.begun += 1;
        }
        if !encoding.is_current(ssrc) {
            let followed = encoding.follow(now, ssrc)?;
            self.begun += 1;
            for forgotten in followed.forgotten {
                self.known.remove(&forgotten);
            }
            if let Some(former) = followed.former {
                rtc.direct_api().remove_stream_rx(former.into());
            }
        }
        Some(Arrived {
            source: self.lines[encoding.line].source,
            layer: encoding.layer,
            sequence: encoding.number(now, ssrc, number),
            level,
        })
    }

    /// Whether more streams have begun than any client needs.
    pub fn is_exhausted(&self) -> bool {
        self.begun > MAX_STREAMS
    }

    /// What the stream of this SSRC carries now.
    pub fn stream_of(&self, ssrc: u32) -> Option<(Source, Layer)> {
        let known = self.known.get(&ssrc)?;
        let encoding = &self.encodings[known.encoding];
        let is_current = encoding.is_current(ssrc);
        is_current.then(|| (self.lines[encoding.line].source, encoding.layer))
    }

    /// The SSRC in which a source's layer comes.
    pub fn main_of(&self, source: Source, layer: Layer) -> Option<u32> {
        let mut encodings = self.encodings.iter();
        let found = encodings
            .find(|encoding| encoding.layer == layer && self.lines[encoding.line].source == source);
        found?.main()
    }

    /// What the packet of an SSRC that is not known belongs to, as it says itself.
    fn recognize(&self, types: &PayloadTypes, data: &[u8]) -> Option<Known> {
        let packet = RtpPacket::read(data)?;
        let (codec, repairs) = types.of(packet.header.payload_type)?;
        let at = self.line_of(&packet, codec.kind())?;
        let line = &self.lines[at];
        let named = text(&packet, line.ids.rid);
        let named = named.or_else(|| text(&packet, line.ids.repaired_rid).filter(|_| repairs));
        let layer = match named {
            Some(rid) if !line.rids.is_empty() => {
                line.rids.iter().position(|known| known == rid)?
            }
            // Which layer it repairs is not known.
            None if repairs && !line.rids.is_empty() => return None,
            // A sender that offered simulcast and then names no rid: that is the lowest layer.
            _ => 0,
        };
        let mut encodings = self.encodings.iter();
        let encoding = encodings
            .position(|encoding| encoding.line == at && usize::from(encoding.layer.0) == layer)?;
        Some(Known { encoding, repairs })
    }

    /// The m-line that a packet names; of one that names none, the only one of its kind (RFC 9143, 9.2).
    fn line_of(&self, packet: &RtpPacket<'_>, kind: MediaKind) -> Option<usize> {
        let mut of_kind = (self.lines.iter().enumerate())
            .filter(|(_, line)| line.source.kind() == kind)
            .map(|(at, line)| (at, line, text(packet, line.ids.mid)));
        let named = of_kind
            .clone()
            .find(|(_, line, mid)| *mid == Some(&line.mid));
        if let Some((at, ..)) = named {
            return Some(at);
        }
        let (only, _, mid) = of_kind.next()?;
        (mid.is_none() && of_kind.next().is_none()).then_some(only)
    }

    fn open_main(&mut self, direct: &mut DirectApi<'_>, ssrc: u32, at: usize) {
        let encoding = &mut self.encodings[at];
        let line = &self.lines[encoding.line];
        if let Some(former) = encoding.open(ssrc) {
            direct.remove_stream_rx(former.into());
            self.known.remove(&former);
        }
        let repairs = false;
        self.known.insert(
            ssrc,
            Known {
                encoding: at,
                repairs,
            },
        );
        let mid = short_mid(line.place.into());
        let stream = direct.expect_stream_rx(ssrc.into(), None, mid, None);
        stream.suppress_nack(!line.repairs);
    }

    fn open_repair(&mut self, direct: &mut DirectApi<'_>, ssrc: u32, at: usize) {
        let encoding = &mut self.encodings[at];
        let Some(main) = encoding.main() else {
            return;
        };
        if let Some(former) = encoding.open_repair(ssrc) {
            self.known.remove(&former);
        }
        let repairs = true;
        self.known.insert(
            ssrc,
            Known {
                encoding: at,
                repairs,
            },
        );
        let mid = short_mid(self.lines[encoding.line].place.into());
        direct.expect_stream_rx(main.into(), Some(ssrc.into()), mid, None);
    }
}

/// The SSRC of an RTP packet. RTCP looks like these on a port for both (RFC 5761, 4), and SSRC 0 is that of senders' probes,
/// which str0m knows by itself.
fn ssrc_of_rtp(data: &[u8]) -> Option<u32> {
    let &[first, second, _, _, _, _, _, _, ssrc @ ..] = data.first_chunk::<RTP_HEADER_LEN>()?;
    let is_rtp = first >> 6 == 2 && !(64..96).contains(&(second & 0x7F));
    Some(u32::from_be_bytes(ssrc)).filter(|ssrc| is_rtp && *ssrc != 0)
}

fn level_of(data: &[u8], id: u8) -> Option<AudioLevel> {
    let element = RtpPacket::read(data)?.element(id)?;
    element.first().copied().map(AudioLevel::from_byte)
}
