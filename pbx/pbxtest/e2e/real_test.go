package e2e

import (
	"fmt"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
	"ringback/pbx/pbxtest/real"
)

func playReal(t *testing.T, program string, f func(s *scene)) {
	real.Need(t, program)
	play(t, f)
}

func (s *scene) baresip(number string, tone float64, answer bool) *real.Baresip {
	s.Helper()
	return real.StartBaresip(s.T, real.Account{User: number, Password: password, Server: s.x.sip, Transport: s.transport, Tone: tone, Answer: answer})
}

func TestBaresipCallsBaresip(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		to := s.extension()
		a, b := s.baresip(s.extension(), 440, false), s.baresip(to, 620, true)
		s.must(a.Dial(to))
		s.must(b.Await("CALL_ESTABLISHED", patience))
		s.must(a.Await("CALL_ESTABLISHED", patience))
		s.must(a.Hears(620, patience))
		s.must(b.Hears(440, patience))
		s.must(a.Hangup())
		s.must(b.Await("CALL_CLOSED", patience))
	})
}

func TestBaresipCallsPhone(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		phone := s.phone()
		b := s.baresip(s.extension(), 440, false)
		s.must(b.Dial(phone.User()))
		l, err := phone.Incoming(s.ctx)
		s.must(err)
		l.Ring()
		s.must(b.Await("CALL_RINGING", patience))
		s.must(l.Answer(s.ctx))
		l.Play(620)
		s.must(l.Hears(s.ctx, 440))
		s.must(b.Hears(620, patience))
		s.must(b.Command("hold", ""))
		s.eventually("the held phone hears its peer no more", func() bool {
			return l.Listen(s.ctx, 200*time.Millisecond).Level(440) < -16
		})
		s.music(l)
		s.must(b.Command("resume", ""))
		s.must(l.Hears(s.ctx, 440))
		s.must(l.Hangup(s.ctx))
		s.must(b.Await("CALL_CLOSED", patience))
	})
}

func TestPhoneCallsBaresip(t *testing.T) {
	playReal(t, "baresip", func(s *scene) {
		to := s.extension()
		b := s.baresip(to, 440, false)
		l, err := s.phone().Call(s.ctx, to)
		s.must(err)
		s.must(l.Ringing(s.ctx))
		s.must(b.Await("CALL_INCOMING", patience))
		s.must(b.Accept())
		s.must(l.Answered(s.ctx))
		l.Play(620)
		s.must(l.Hears(s.ctx, 440))
		s.must(b.Hears(620, patience))
		s.must(b.Hangup())
		s.must(l.Ended(s.ctx))
		// A call that it refuses.
		l, err = l.Phone.Call(s.ctx, to)
		s.must(err)
		s.must(l.Ringing(s.ctx))
		s.must(b.Await("CALL_INCOMING", patience))
		s.must(b.Hangup())
		m, err := l.Failed(s.ctx)
		s.status(m, err, 486, 603, 480)
	})
}

func (s *scene) sipp(c real.Scenario) *real.Sipp {
	s.Helper()
	c.Password = password
	if c.Transport == "" {
		c.Transport = s.transport[:1] + "1"
	}
	return real.StartSipp(s.T, c)
}

func TestSippRegisters(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		p := s.another(s.extension())
		r := s.sipp(real.Scenario{Name: "register", Remote: s.x.sip, User: p.User()})
		s.must(r.Wait(patience))
		s.expectBindings(p, fmt.Sprintf("sip:%s@%s;transport=%s", p.User(), r.Addr, map[string]string{"udp": "UDP", "tcp": "TCP"}[s.transport]))
	})
}

// sipp calls with digest, one of the phones answers: ten calls, with one socket and with a socket for each.
func TestSippCalls(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		bob := s.phone()
		bob.OnCall(pbxtest.AutoAnswer(100 * time.Millisecond))
		modes := []string{"u1", "un"}
		if s.transport == "tcp" {
			modes = []string{"t1"}
		}
		for _, mode := range modes {
			s.must(s.sipp(real.Scenario{Name: "uac_auth", Transport: mode, Remote: s.x.sip, Service: bob.User(), User: s.extension(), Calls: 10, Rate: 20}).Wait(20 * time.Second))
		}
		bob.OnCall(pbxtest.AutoReject(486, 0))
		s.must(s.sipp(real.Scenario{Name: "uac_refused", Status: 486, Remote: s.x.sip, Service: bob.User(), User: s.extension()}).Wait(patience))
	})
}

// sipp calls sipp, and a phone calls sipp and hears its own tone come back. The callee is on UDP always: over TCP a
// phone is called by the connection it registered with, and a sipp that answers cannot have registered.
func TestSippAnswers(t *testing.T) {
	playReal(t, "sipp", func(s *scene) {
		to := s.extension("max_contacts", 1)
		at := real.Port(s)
		s.must(s.sipp(real.Scenario{Name: "register", Transport: "u1", Addr: at, Remote: s.x.sip, User: to}).Wait(patience))
		s.sipp(real.Scenario{Name: "uas", Transport: "u1", Addr: at, Calls: 1000, Echo: true}) // an OPTIONS counts as a call, too
		s.must(s.sipp(real.Scenario{Name: "uac_auth", Remote: s.x.sip, Service: to, User: s.extension(), Calls: 5}).Wait(20 * time.Second))
		alice := s.phone()
		for attempt := 1; ; attempt++ {
			l, err := alice.Call(s.ctx, to)
			s.must(err)
			s.must(l.Answered(s.ctx))
			l.Play(440)
			if err = l.Hears(s.ctx, 440); err != nil && (attempt == 3 || !s.unechoed(to)) {
				s.Fatal(err)
			}
			s.must(l.Hangup(s.ctx))
			if err == nil {
				return
			}
			// Once in a hundred times a sipp that was started on a busy machine echoes nothing, whatever it is sent.
			s.Log("sipp sends nothing back; another one is tried")
			at = real.Port(s)
			s.must(s.sipp(real.Scenario{Name: "register", Transport: "u1", Addr: at, Remote: s.x.sip, User: to}).Wait(patience))
			s.sipp(real.Scenario{Name: "uas", Transport: "u1", Addr: at, Calls: 1000, Echo: true})
		}
	})
}

// unechoed reports whether the exchange sends sound to whom an extension has answered, and gets none: then it is not the exchange's
// fault.
func (s *scene) unechoed(extension string) bool {
	s.Helper()
	var list struct {
		Items []struct {
			Dialled string `json:"dialled"`
			ToPhone struct {
				In  int `json:"packets_in"`
				Out int `json:"packets_out"`
			} `json:"to_phone"`
		} `json:"items"`
	}
	s.must(s.x.api(s.ctx, "GET", "/calls", nil, &list))
	for _, c := range list.Items {
		if c.Dialled == extension {
			s.Logf("to %s: %+v", extension, c.ToPhone)
			return c.ToPhone.Out > 0 && c.ToPhone.In == 0
		}
	}
	return false
}
