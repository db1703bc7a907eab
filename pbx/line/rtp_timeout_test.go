package line

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest/memnet"
)

const rtpTimeout = 30 * time.Second

// sounding is a scene with the real media engine, on a network of its own.
type sounding struct {
	*scene
	*testing.T
	net    *memnet.Network
	engine *media.Engine
}

// playSound runs f and then checks that no stream is left either.
func playSound(t *testing.T, f func(s *sounding)) {
	var w sounding
	play(t, func(s *scene) {
		w.scene, w.T = s, s.t
		defer func() {
			s.line.HangupAll(pbx.Hangup)
			time.Sleep(2 * time.Minute)
			if err := w.engine.Leaks(); err != nil {
				t.Error(err)
			}
			w.engine.Close()
			w.net.Close()
		}()
		f(&w)
	}, func(o *Options) {
		w.net = memnet.New(2)
		var err error
		w.engine, err = media.New(media.Options{Timeout: rtpTimeout, Bind: []netip.Addr{netip.MustParseAddr(pbxAddr)},
			Listen: func(at netip.AddrPort) (media.PacketConn, error) { return w.net.ListenPacket(at) }})
		if err != nil {
			t.Fatal(err)
		}
		o.Media = Engine(w.engine)
	})
}

// sound sends b from a phone's RTP or RTCP port to the PBX's, once a second.
func (s *sounding) sound(from, to netip.AddrPort, b []byte, seconds int) {
	s.Helper()
	c, err := s.net.ListenPacket(from)
	if err != nil {
		s.Fatal(err)
	}
	defer c.Close()
	for range seconds {
		if _, err := c.WriteToUDPAddrPort(b, to); err != nil {
			s.Fatal(err)
		}
		time.Sleep(time.Second)
	}
}

// hungUp wants the BYE of a silent phone when the time-out has passed since, and not before.
func (s *sounding) hungUp(p *phone, since time.Time) {
	s.Helper()
	time.Sleep(rtpTimeout - time.Since(since) - time.Millisecond)
	p.silent()
	time.Sleep(time.Second)
	bye := p.expect("BYE")
	if !strings.Contains(header(bye, "Reason"), "RTP timeout") {
		s.Errorf("Reason %q", header(bye, "Reason"))
	}
	p.respond(bye, "200 OK", "", "")
}

func TestRTPTimeoutEndsADeadCall(t *testing.T) {
	playSound(t, func(s *sounding) {
		a := s.phone("1000", "192.0.2.10")
		_, leg := s.up(a, "1001")
		local := leg.Port().(*media.Stream)
		at := netip.MustParseAddr("192.0.2.10")
		voice := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 1}, Payload: make([]byte, 160)}
		b, _ := voice.Marshal()
		s.sound(netip.AddrPortFrom(at, 4000), local.LocalRTP(), b, 300)
		a.silent()
		// Reports alone keep it as well: a phone that sends no sound while it is muted.
		b, _ = (&rtcp.ReceiverReport{SSRC: 1}).Marshal()
		s.sound(netip.AddrPortFrom(at, 4001), local.LocalRTCP(), b, 300)
		a.silent()
		s.hungUp(a, time.Now().Add(-time.Second))
		wantEvents(t, s.scene, incoming1, "ended answered (network) cause 102")
	})
}

func TestRTPTimeoutWaitsWhileHeldOrMuted(t *testing.T) {
	for _, how := range []string{"a=sendonly", "a=recvonly", "a=inactive", "c=IN IP4 0.0.0.0"} {
		t.Run(how, func(t *testing.T) {
			playSound(t, func(s *sounding) {
				a := s.phone("1000", "192.0.2.10")
				c, _ := s.up(a, "1001")
				description := func(version, line string) string {
					d := strings.Replace(sdp(a, 4000, "0 8"), "o=- 7 7", "o=- 7 "+version, 1)
					if strings.HasPrefix(line, "c=") {
						return strings.Replace(d, "c=IN IP4 192.0.2.10", line, 1)
					}
					return d + line
				}
				change := func(d string) {
					c.send("INVITE", d)
					a.expect("SIP/2.0 200")
					c.sendSeq("ACK", c.seq, "")
					synctest.Wait()
				}
				change(description("8", how))
				time.Sleep(time.Hour)
				a.silent()
				change(description("9", "a=sendrecv"))
				s.hungUp(a, time.Now())
			})
		})
	}
}

func TestRTPTimeoutLeavesEarlyMediaAlone(t *testing.T) {
	t.Run("caller", func(t *testing.T) {
		playSound(t, func(s *sounding) {
			a := s.phone("1000", "192.0.2.10")
			c := a.invite("1001", sdp(a, 4000, "0 8"))
			synctest.Wait()
			leg := s.x.legs[0]
			leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
			a.until("SIP/2.0 183", "SIP/2.0 100")
			time.Sleep(rtpTimeout * 3 / 2) // shorter than the minute after which ringing is repeated
			a.silent()
			leg.Answer(nil)
			c.take(a.expect("SIP/2.0 200"))
			c.send("ACK", "")
			s.hungUp(a, time.Now())
		})
	})
	t.Run("callee", func(t *testing.T) {
		playSound(t, func(s *sounding) {
			b := s.phone("1001", "192.0.2.11")
			d := s.dial(s.bind(b))
			inv := b.expect("INVITE")
			b.respond(inv, "183 Session Progress", "b1", sdp(b, 4000, "0"))
			time.Sleep(10 * rtpTimeout)
			d.pending(s.T)
			b.silent()
			b.respond(inv, "200 OK", "b1", sdp(b, 4000, "0"))
			d.result()
			b.expect("ACK")
			s.hungUp(b, time.Now())
		})
	})
}
