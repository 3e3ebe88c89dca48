// Command pion is one end of a call by the pion stack, driven by lines of JSON: it prints its offer, reads the answer, sends
// the packets that it reads, and prints those that come.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// maxLine is longer than any line: an answer, or a packet in base64.
const maxLine = 1 << 20

// message is a line, in either direction; what does not belong to it is left out.
type message struct {
	SDP       string `json:"sdp,omitempty"`
	Connected bool   `json:"connected,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Sequence  uint16 `json:"sequence"`
	Timestamp uint32 `json:"timestamp"`
	Marker    bool   `json:"marker"`
	Payload   []byte `json:"payload,omitempty"`
}

// printer writes whole lines, from whichever goroutine.
type printer struct {
	mutex   sync.Mutex
	encoder *json.Encoder
}

func (p *printer) print(line message) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.encoder.Encode(line)
}

func main() {
	apart := flag.Bool("apart", false, "send and receive on m-lines of their own")
	transportCC := flag.Bool("transport-cc", true, "give transport-wide feedback")
	repair := flag.Bool("repair", true, "know repair packets (RFC 4588)")
	flag.Parse()
	if err := run(*apart, *transportCC, *repair); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(apart, transportCC, repair bool) error {
	connection, err := connect(transportCC, repair)
	if err != nil {
		return err
	}
	defer connection.Close()
	out := &printer{encoder: json.NewEncoder(os.Stdout)}
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { receive(track, out) })
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			_ = out.print(message{Connected: true})
		}
	})
	tracks, err := addTracks(connection, apart)
	if err != nil {
		return err
	}
	if err := offer(connection, out); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := obey(connection, tracks, lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// connect makes a peer connection with pion's own defaults, but for what is to be left out.
func connect(transportCC, repair bool) (*webrtc.PeerConnection, error) {
	codecs := &webrtc.MediaEngine{}
	if err := register(codecs, repair); err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	var err error
	if transportCC {
		err = webrtc.RegisterDefaultInterceptors(codecs, interceptors)
	} else if err = webrtc.ConfigureNack(codecs, interceptors); err == nil {
		err = webrtc.ConfigureRTCPReports(interceptors)
	}
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	// It leaves out loopback, where the node is.
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(codecs),
		webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings),
	)
	return api.NewPeerConnection(webrtc.Configuration{})
}

func register(codecs *webrtc.MediaEngine, repair bool) error {
	if repair {
		return codecs.RegisterDefaultCodecs()
	}
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		PayloadType:        111,
	}
	if err := codecs.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	vp8 := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
		PayloadType:        96,
	}
	return codecs.RegisterCodec(vp8, webrtc.RTPCodecTypeVideo)
}

func addTracks(connection *webrtc.PeerConnection, apart bool) (map[string]*webrtc.TrackLocalStaticRTP, error) {
	tracks := map[string]*webrtc.TrackLocalStaticRTP{}
	for _, track := range []struct{ kind, codec string }{{"audio", webrtc.MimeTypeOpus}, {"video", webrtc.MimeTypeVP8}} {
		capability := webrtc.RTPCodecCapability{MimeType: track.codec}
		local, err := webrtc.NewTrackLocalStaticRTP(capability, track.kind, "stream")
		if err != nil {
			return nil, err
		}
		sender, err := add(connection, local, apart)
		if err != nil {
			return nil, err
		}
		// What comes back has to be read for its interceptors to see it.
		go func() {
			for {
				if _, _, err := sender.ReadRTCP(); err != nil {
					return
				}
			}
		}()
		tracks[track.kind] = local
	}
	if !apart {
		return tracks, nil
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		slot := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := connection.AddTransceiverFromKind(kind, slot); err != nil {
			return nil, err
		}
	}
	return tracks, nil
}

func add(connection *webrtc.PeerConnection, track webrtc.TrackLocal, apart bool) (*webrtc.RTPSender, error) {
	if !apart {
		return connection.AddTrack(track)
	}
	init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	transceiver, err := connection.AddTransceiverFromTrack(track, init)
	if err != nil {
		return nil, err
	}
	return transceiver.Sender(), nil
}

// offer prints the offer once it names all candidates.
func offer(connection *webrtc.PeerConnection, out *printer) error {
	description, err := connection.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err := connection.SetLocalDescription(description); err != nil {
		return err
	}
	<-gathered
	return out.print(message{SDP: connection.LocalDescription().SDP})
}

// obey takes the answer, or a packet to be sent.
func obey(connection *webrtc.PeerConnection, tracks map[string]*webrtc.TrackLocalStaticRTP, line []byte) error {
	var said message
	if err := json.Unmarshal(line, &said); err != nil {
		return err
	}
	if said.SDP != "" {
		return connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: said.SDP})
	}
	track, ok := tracks[said.Kind]
	if !ok {
		return fmt.Errorf("%q is no kind of media", said.Kind)
	}
	header := rtp.Header{Version: 2, SequenceNumber: said.Sequence, Timestamp: said.Timestamp, Marker: said.Marker}
	return track.WriteRTP(&rtp.Packet{Header: header, Payload: said.Payload})
}

func receive(track *webrtc.TrackRemote, out *printer) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		line := message{
			Kind:      track.Kind().String(),
			Sequence:  packet.SequenceNumber,
			Timestamp: packet.Timestamp,
			Marker:    packet.Marker,
			Payload:   packet.Payload,
		}
		if out.print(line) != nil {
			return
		}
	}
}
