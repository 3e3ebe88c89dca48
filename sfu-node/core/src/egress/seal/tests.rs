//! Sealing against the test vectors of the RFCs, and against str0m over a wire in memory.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::KeyingMaterial;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};
use str0m::media::{KeyframeRequestKind, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::*;
use crate::egress::feedback::{Feedback, parse};
use crate::egress::report::write_sender_report;

// RFC 7714, 16 and 17: the packets, and what the key 00 01 02 … and the salt "Quid pro quo" make of them.
const RTP: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172746573207472\
    6573";
const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef\
    deadbeef";
const RTP_128: &str = "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf\
    8833899d7f27beb16a9152cf765ee4390cce";
const RTCP_128: &str = "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded\
    0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
const RTP_256: &str = "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799\
    b87b7aa3db36dfffd6b0f9bb7878d7a76c13";
const RTCP_256: &str = "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
    6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4";
// A captured session's handshake, and an SRTCP packet of its client with index 1.
const CM_MATERIAL: &str = "2cb02346b42276a672cfd143aec2d5eeddde55f0ad7bcac22666f1c6386173ed6eb25cb7d26a61a1ee2c210adae760aa\
    a2fd67b672c41aed105f9d36";
const CM_RTCP: &str = "80c800063cd7cc13e2ee35c8604e618c26f32734000000430000140781ca00063cd7cc130110386e467532685766724d\
    44724766346f0000";
const CM_SRTCP: &str = "80c800063cd7cc13b7c831dcb776cd8dc26fda1d9bfc8ee6589a1a8a49289caeb264200c37d2d0a4afac6385ffc60dec\
    7d06d4873dd3a8cc80000001b7bb526521d1e73c0fc0";

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// What RFC 7714 seals its examples with.
pub(super) fn srtcp_keys(profile: SrtpProfile) -> StreamKeys {
    StreamKeys {
        profile,
        key: std::array::from_fn(|i| i as u8),
        salt: *b"Quid pro quo\0\0",
        auth: [0; 20],
    }
}

fn gcm(profile: SrtpProfile) -> Sealer {
    let mut sealer = Sealer::new(&SessionKeys {
        rtp: srtcp_keys(profile),
        rtcp: srtcp_keys(profile),
    })
    .unwrap();
    sealer.rtcp_index = 0x5d4;
    sealer
}

#[test]
fn gcm_seals_as_rfc_7714_says() {
    for (profile, rtp, rtcp) in [
        (SrtpProfile::AEAD_AES_128_GCM, RTP_128, RTCP_128),
        (SrtpProfile::AEAD_AES_256_GCM, RTP_256, RTCP_256),
    ] {
        let mut sealer = gcm(profile);
        // What stands before the packet in the buffer stays as it is.
        let mut buf = hex(RTP);
        buf.splice(0..0, [1, 2, 3]);
        sealer.seal_rtp(&mut buf, 3, 12, 0xf17b).unwrap();
        assert_eq!(buf[..3], [1, 2, 3]);
        assert_eq!(buf[3..], hex(rtp));
        let mut buf = hex(RTCP);
        sealer.seal_rtcp(&mut buf, 0).unwrap();
        assert_eq!(buf, hex(rtcp));
    }
}

#[test]
fn keys_are_derived_as_rfc_3711_says() {
    let master = hex("e1f97a0d3e018be0d64fa32c06de4139");
    let salt = hex("0ec675ad498afeebb6960b3aabe6");
    let keys = StreamKeys::derive(&master, &salt, SrtpProfile::AES128_CM_SHA1_80, 0).unwrap();
    assert_eq!(keys.key(), hex("c61e7a93744f39ee10734afe3ff7a087"));
    assert_eq!(keys.salt[..], hex("30cbbc08863d8c85d49db34a9ae1"));
    assert_eq!(
        keys.auth[..],
        hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4")
    );
}

#[test]
fn counter_mode_starts_as_rfc_3711_says() {
    // B.2: the key stream itself, for SSRC and index 0.
    let key = UnboundCipherKey::new(&AES_128, &hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
    let key = EncryptingKey::ctr(key).unwrap();
    let salt = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd").try_into().unwrap();
    let mut stream = [0; 32];
    cm_encrypt(&key, &salt, [0; 4], 0, &mut stream).unwrap();
    assert_eq!(
        stream[..],
        hex("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab")
    );
}

#[test]
fn a_captured_srtcp_packet_is_sealed_alike() {
    let keys =
        SessionKeys::derive(&hex(CM_MATERIAL), SrtpProfile::AES128_CM_SHA1_80, true).unwrap();
    let mut sealer = Sealer::new(&keys).unwrap();
    sealer.rtcp_index = 1;
    let mut buf = hex(CM_RTCP);
    sealer.seal_rtcp(&mut buf, 0).unwrap();
    assert_eq!(buf, hex(CM_SRTCP));
}

#[test]
fn what_cannot_be_sealed_is_an_error() {
    let mut sealer = gcm(SrtpProfile::AEAD_AES_128_GCM);
    let packet = hex(RTP);
    assert_eq!(
        sealer.seal_rtp(&mut packet.clone(), 0, 60, 0xf17b),
        Err(SealError::Short)
    );
    assert_eq!(
        sealer.seal_rtp(&mut packet.clone(), 60, 12, 0xf17b),
        Err(SealError::Short)
    );
    assert_eq!(
        sealer.seal_rtp(&mut packet.clone(), 0, 4, 0xf17b),
        Err(SealError::Short)
    );
    assert_eq!(
        sealer.seal_rtp(&mut packet.clone(), 0, 12, 1 << 48),
        Err(SealError::Exhausted)
    );
    assert_eq!(sealer.seal_rtcp(&mut vec![0; 7], 0), Err(SealError::Short));
    sealer.rtcp_index = ENCRYPTED - 1;
    assert_eq!(sealer.seal_rtcp(&mut hex(RTCP), 0), Ok(()));
    assert_eq!(
        sealer.seal_rtcp(&mut hex(RTCP), 0),
        Err(SealError::Exhausted)
    );
}

/// A provider whose handshakes end with this profile, whatever they agreed on.
#[derive(Debug)]
struct Forced(&'static dyn DtlsProvider, SrtpProfile);

#[derive(Debug)]
struct ForcedInstance(Box<dyn DtlsInstance>, SrtpProfile);

impl DtlsProvider for Forced {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = self.0.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(ForcedInstance(inner, self.1)))
    }
}

impl DtlsInstance for ForcedInstance {
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.0.poll_output(buf) {
            DtlsOutput::KeyingMaterial(..) => {
                let material: Vec<u8> = (1..).take(self.1.keying_material_len()).collect();
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(&material), self.1)
            }
            output => output,
        }
    }

    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

/// One end of a call, with its tap.
struct End {
    rtc: Rtc,
    tap: Tap,
    address: SocketAddr,
    events: Vec<Event>,
}

impl End {
    fn new(now: Instant, host: u8, provider: Arc<CryptoProvider>) -> Self {
        let tap = Tap::new();
        tap.hear_sent();
        let address = (Ipv4Addr::new(10, 0, 0, host), 5_000).into();
        let rtc = tap.enter(|| {
            let mut rtc = Rtc::builder()
                .set_rtp_mode(true)
                .set_crypto_provider(provider)
                .build(now);
            rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
            rtc
        });
        Self {
            rtc,
            tap,
            address,
            events: Vec::new(),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.tap.enter(|| self.rtc.handle_input(input)).unwrap();
    }

    fn receive(&mut self, now: Instant, source: SocketAddr, data: &[u8]) {
        let destination = self.address;
        let receive = Receive::new(Protocol::Udp, source, destination, data).unwrap();
        self.handle(Input::Receive(now, receive));
    }

    /// Drains to the time-out; what is to be sent goes to the wire.
    fn drain(&mut self, wire: &mut Vec<Vec<u8>>) {
        loop {
            match self.tap.enter(|| self.rtc.poll_output()).unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(transmit) => wire.push(transmit.contents.to_vec()),
                Output::Event(event) => self.events.push(event),
            }
        }
    }
}

/// Both ends and the clock; the wire loses nothing and takes no time.
struct Pair {
    now: Instant,
    ends: [End; 2],
}

impl Pair {
    /// Two connected ends, of which the first is the DTLS client.
    fn connect(provider: Arc<CryptoProvider>) -> Self {
        let now = Instant::now();
        let mut ends = [1, 2].map(|host| End::new(now, host, provider.clone()));
        for (this, other) in [(0, 1), (1, 0)] {
            let candidate = Candidate::host(ends[other].address, "udp").unwrap();
            let print = ends[other]
                .rtc
                .direct_api()
                .local_dtls_fingerprint()
                .clone();
            let credentials = ends[other].rtc.direct_api().local_ice_credentials();
            let end = &mut ends[this];
            end.rtc.add_remote_candidate(candidate);
            end.rtc.direct_api().set_remote_fingerprint(print);
            end.rtc.direct_api().set_remote_ice_credentials(credentials);
            end.rtc.direct_api().set_ice_controlling(this == 0);
            let tap = &end.tap;
            tap.enter(|| end.rtc.direct_api().start_dtls(this == 0))
                .unwrap();
        }
        let mut pair = Self { now, ends };
        for _ in 0..400 {
            pair.step();
            if pair.ends.iter().all(|end| end.rtc.is_connected()) {
                return pair;
            }
        }
        panic!("the ends did not connect within four seconds of virtual time");
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(10);
        for (this, other) in [(0, 1), (1, 0)] {
            let mut wire = Vec::new();
            self.ends[this].handle(Input::Timeout(self.now));
            self.ends[this].drain(&mut wire);
            let source = self.ends[this].address;
            let mut back = Vec::new();
            for data in wire {
                self.ends[other].receive(self.now, source, &data);
                self.ends[other].drain(&mut back);
            }
            let source = self.ends[other].address;
            for data in back {
                self.ends[this].receive(self.now, source, &data);
            }
        }
    }
}

/// One end sends media by our egress to the other's str0m, which answers with RTCP for our tap.
fn media_crosses(profile: Option<SrtpProfile>, sender: usize) {
    const SSRC: u32 = 0x0102_0304;
    let provider = match profile {
        None => provider(),
        Some(profile) => {
            let base = from_feature_flags();
            let dtls_provider = Box::leak(Box::new(Forced(base.dtls_provider, profile)));
            Arc::new(tap::wrap(CryptoProvider {
                dtls_provider,
                ..base
            }))
        }
    };
    let mut pair = Pair::connect(provider);
    let receiver = 1 - sender;
    let now = pair.now;
    let source = pair.ends[sender].address;
    let mut sealer = pair.ends[sender]
        .tap
        .sealer()
        .expect("the handshake is over");
    assert!(
        pair.ends[sender].tap.sealer().is_none(),
        "there is one sealer"
    );

    let end = &mut pair.ends[receiver];
    end.rtc
        .direct_api()
        .declare_media("v".into(), MediaKind::Video);
    let vp8 = end
        .rtc
        .codec_config()
        .find(|params| params.spec().codec == str0m::format::Codec::Vp8)
        .unwrap()
        .pt();
    end.rtc
        .direct_api()
        .expect_stream_rx(SSRC.into(), None, "v".into(), None);

    // Over the sequence number's wrap-around, with payloads of odd lengths.
    for n in 0..20_u64 {
        let sequence = 65_530 + n;
        let mut buf = vec![0x80, *vp8];
        buf.extend_from_slice(&(sequence as u16).to_be_bytes());
        buf.extend_from_slice(&(n as u32 * 3_000).to_be_bytes());
        buf.extend_from_slice(&SSRC.to_be_bytes());
        buf.extend((0..n * 7).map(|i| (i + n) as u8));
        sealer.seal_rtp(&mut buf, 0, 12, sequence).unwrap();
        end.receive(now, source, &buf);
        end.drain(&mut Vec::new());
    }
    let received: Vec<_> = end
        .events
        .drain(..)
        .filter_map(|event| match event {
            Event::RtpPacket(packet) => Some((*packet.seq_no, packet.payload.to_vec())),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = (0..20_u64)
        .map(|n| {
            (
                65_530 + n,
                (0..n * 7).map(|i| (i + n) as u8).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert!(received == expected, "{received:?}");

    // A sender report of ours is opened and overheard at the other end.
    let mut buf = Vec::new();
    write_sender_report(&mut buf, SSRC, 5 << 32, 6, 7, 8, "c");
    let clear = buf.clone();
    sealer.seal_rtcp(&mut buf, 0).unwrap();
    end.tap.take_rtcp(|_| {});
    end.receive(now, source, &buf);
    let mut taken = Vec::new();
    end.tap.take_rtcp(|packet| taken.push(packet.to_vec()));
    assert_eq!(taken, [clear]);
    end.tap.take_rtcp(|_| panic!("taken already"));

    // str0m's own RTCP is overheard at both ends.
    end.tap.take_sent(|_| {});
    let mut api = end.rtc.direct_api();
    let stream = api.stream_rx(&SSRC.into()).unwrap();
    stream.request_keyframe(KeyframeRequestKind::Pli);
    (0..10).for_each(|_| pair.step());
    let (mut received, mut sent) = (Vec::new(), Vec::new());
    pair.ends[sender]
        .tap
        .take_rtcp(|packet| received.push(packet.to_vec()));
    pair.ends[receiver]
        .tap
        .take_sent(|packet| sent.push(packet.to_vec()));
    let is_plea = |feedback| feedback == Feedback::Pli { ssrc: SSRC };
    let mut pleas = received.iter().map(|packet| parse(packet).any(is_plea));
    assert!(pleas.any(|plea| plea), "the request was not overheard");
    assert_eq!(received, sent);
}

#[test]
fn media_crosses_from_client_and_server_as_negotiated() {
    media_crosses(None, 0);
    media_crosses(None, 1);
}

#[test]
fn media_crosses_under_aes_128_gcm() {
    media_crosses(Some(SrtpProfile::AEAD_AES_128_GCM), 1);
}

#[test]
fn media_crosses_under_aes_256_gcm() {
    media_crosses(Some(SrtpProfile::AEAD_AES_256_GCM), 1);
}

#[test]
fn media_crosses_under_aes_cm() {
    media_crosses(Some(SrtpProfile::AES128_CM_SHA1_80), 0);
    media_crosses(Some(SrtpProfile::AES128_CM_SHA1_80), 1);
}
