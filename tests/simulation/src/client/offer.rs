//! The one offer of a client: what it sends, and the slots that it receives in.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use protocol::client::SourceMid;
use protocol::media::{Codec, Source};
use str0m::change::{SdpApi, SdpPendingOffer};
use str0m::crypto::dtls::DtlsVersion;
use str0m::media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer};
use str0m::{Candidate, Rtc};

use super::accent::Accent;
use crate::encoder::{Encoder, Videos};

/// Each picture has a slot for sound beside it.
pub const AUDIO_SLOTS: usize = VIDEO_SLOTS;
const VIDEO_SLOTS: usize = 9;

/// An offer, and what was prepared with it.
pub struct Offer {
    pub sdp: String,
    pub pending: SdpPendingOffer,
    /// Which m-line carries which source.
    pub sources: Vec<SourceMid>,
    pub encoders: Vec<Encoder>,
    pub microphone: Mid,
    pub screen_sound: Mid,
    /// The number of the slot on each receiving m-line.
    pub slots: HashMap<Mid, usize>,
}

/// A WebRTC peer that speaks what nodes speak.
pub fn peer(
    now: Instant,
    address: SocketAddr,
    videos: Videos,
    accent: Option<Accent>,
    dtls: DtlsVersion,
) -> Rtc {
    let builder = Rtc::builder()
        .set_dtls_version(dtls)
        .set_rtp_mode(true)
        .enable_raw_packets(true)
        .clear_codecs()
        .enable_opus(true, false);
    // What stands first is what it sends.
    let builder = match videos.codec {
        Codec::H264 => builder.enable_h264(videos.knows_h264).enable_vp8(true),
        _ => builder.enable_vp8(true).enable_h264(videos.knows_h264),
    };
    let builder = match accent {
        Some(accent) => builder.set_extension_map(accent.extension_map()),
        None => builder,
    };
    let mut rtc = builder.build(now);
    let candidate = Candidate::host(address, "udp").expect("a valid address");
    rtc.add_local_candidate(candidate);
    rtc
}

impl Offer {
    /// Offers these videos, a microphone, a screen's sound, and all the slots. `sending`: the direction of the m-lines of what
    /// it sends; if they receive, too, camera and microphone have the first slots.
    pub fn new(rtc: &mut Rtc, now: Instant, videos: Videos, sending: Direction) -> Self {
        let mut api = rtc.sdp_api();
        let (mut sources, encoders) = offer_videos(&mut api, now, videos, sending);
        let mut add = |kind, direction| api.add_media(kind, direction, None, None, None);
        let [microphone, screen_sound] = [Source::Microphone, Source::ScreenAudio].map(|source| {
            let mid = add(MediaKind::Audio, sending);
            sources.push(SourceMid {
                mid: mid.to_string(),
                source,
            });
            mid
        });
        let mut shared = HashMap::new();
        if sending == Direction::SendRecv {
            let camera = encoders.first().map(|encoder| encoder.mid);
            shared.extend([(0, microphone), (1, screen_sound)]);
            shared.extend(camera.map(|camera| (AUDIO_SLOTS, camera)));
        }
        let mut slots = HashMap::new();
        for slot in 0..AUDIO_SLOTS + VIDEO_SLOTS {
            let kind = match slot < AUDIO_SLOTS {
                true => MediaKind::Audio,
                false => MediaKind::Video,
            };
            let shared = shared.get(&slot).copied();
            slots.insert(
                shared.unwrap_or_else(|| add(kind, Direction::RecvOnly)),
                slot,
            );
        }
        api.add_channel("connect".into());
        let (offer, pending) = api.apply().expect("there are changes");
        Self {
            sdp: with_reduced_rtcp(&offer.to_sdp_string()),
            pending,
            sources,
            encoders,
            microphone,
            screen_sound,
            slots,
        }
    }
}

/// An offer that takes reduced RTCP (RFC 5506), as browsers' do and str0m's does not.
fn with_reduced_rtcp(sdp: &str) -> String {
    sdp.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-rsize\r\n")
}

/// An m-line for each source of video, with the encoders of its layers.
fn offer_videos(
    api: &mut SdpApi<'_>,
    now: Instant,
    videos: Videos,
    sending: Direction,
) -> (Vec<SourceMid>, Vec<Encoder>) {
    let formats = videos.formats();
    let mut sources = Vec::new();
    let mut encoders = Vec::new();
    for source in [Source::Camera, Source::Screen] {
        let formats = formats.iter().filter(|format| format.source == source);
        let mut simulcast = Simulcast::new();
        for rid in formats.clone().filter_map(|format| format.rid) {
            simulcast.add_send_layer(SimulcastLayer::new(rid));
        }
        if formats.clone().next().is_some() {
            let simulcast = (!simulcast.send.is_empty()).then_some(simulcast);
            let mid = api.add_media(MediaKind::Video, sending, None, None, simulcast);
            encoders.extend(formats.map(|format| Encoder::new(now, *format, mid)));
            sources.push(SourceMid {
                mid: mid.to_string(),
                source,
            });
        }
    }
    (sources, encoders)
}
