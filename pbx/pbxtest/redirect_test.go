package pbxtest

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx/pbxtest/memnet"
)

func TestPhonesRedirect(t *testing.T) {
	onPair(t, func(p *pair) {
		p.bob.OnCall(func(_ context.Context, l *CallLeg) {
			l.Ring()
			l.Redirect(301, "1002;q=0.5", "sip:carol@else.test;q=0.25", "1003")
		})
		l, err := p.alice.Call(p.ctx, "1001")
		p.must(err)
		m, err := l.Failed(p.ctx)
		p.must(err)
		want := []string{"<sip:1002@example.test>;q=0.5", "<sip:carol@else.test>;q=0.25", "<sip:1003@example.test>"}
		if got := m.All("Contact"); m.Status != 301 || !slices.Equal(got, want) {
			p.Errorf("%d %q", m.Status, got)
		}
		if got := l.Statuses(); !slices.Equal(got, []int{180, 301}) || l.Final() != m {
			p.Error(got, l.Final())
		}
		p.must(l.Gets(p.ctx, 180)) // it came
		if err := l.Gets(p.ctx, 181); err == nil {
			p.Error("a response is seen that did not come")
		}
	})
}

func TestPhonesKeysByInfo(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, callee := p.up()
		p.must(callee.PressByInfo(p.ctx, "1#"))
		infos := caller.Infos()
		if len(infos) != 2 || string(infos[0].Body) != "Signal=1\r\nDuration=160\r\n" || string(infos[1].Body) != "Signal=#\r\nDuration=160\r\n" {
			p.Error(infos)
		}
		p.must(caller.Hangup(p.ctx))
	})
}

// A tone of 200 ms in a long silence is heard, another is not.
func TestPhonesHearTones(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, callee := p.up()
		ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
		defer cancel()
		if err := caller.HearsSound(ctx); err == nil {
			p.Error("silence is heard as a sound")
		}
		began := time.Now()
		callee.Play(425)
		time.AfterFunc(200*time.Millisecond, func() { callee.Play() })
		p.must(caller.HearsTone(p.ctx, 425))
		p.must(caller.HearsSound(p.ctx))
		time.Sleep(2 * time.Second)
		if h := caller.Heard(began); !h.has([]float64{425}) || h.has([]float64{350}) || h.has([]float64{425, 350}) {
			p.Error(h)
		}
		ctx, cancel = context.WithTimeout(p.ctx, 2*time.Second)
		defer cancel()
		if err := caller.HearsTone(ctx, 425); err == nil {
			p.Error("a tone is heard that is over")
		}
		callee.Play(350, 440)
		p.must(caller.HearsTone(p.ctx, 350, 440))
		time.AfterFunc(500*time.Millisecond, func() { callee.Play(600) })
		p.must(caller.HearsInOrder(p.ctx, []float64{350, 440}, []float64{350, 440}, []float64{600}))
		ctx, cancel = context.WithTimeout(p.ctx, 2*time.Second)
		defer cancel()
		if err := caller.HearsInOrder(ctx, []float64{600}, []float64{350, 440}); err == nil {
			p.Error("tones are heard in another order")
		}
		p.must(caller.Hangup(p.ctx))
	})
}

func TestPhonesHideTheirNumber(t *testing.T) {
	onPair(t, func(p *pair) {
		caller, err := p.alice.Call(p.ctx, "1001", Anonymous())
		p.must(err)
		callee, err := p.bob.Incoming(p.ctx)
		p.must(err)
		if got := callee.Invite.Mentions("1000"); !slices.Equal(got, []string{"Contact"}) {
			p.Error(got) // there is no PBX between
		}
		p.must(callee.Answer(p.ctx))
		p.must(caller.Answered(p.ctx))
		p.must(caller.Hold(p.ctx))
		p.must(callee.Hangup(p.ctx))
	})
}

func TestHistory(t *testing.T) {
	m := &Message{Method: "INVITE"}
	m.Add("History-Info", "<sip:1000@h?Reason=SIP%3Bcause%3D302>;index=1")
	m.Add("History-Info", "<sip:1001@h;cause=302?Privacy=history>;index=1.1;mp=1, <sip:p@h>;index=1.1.1;rc=1.1")
	want := []Past{{Number: "1000", Index: "1", Reason: "SIP;cause=302"}, {Number: "1001", Index: "1.1", How: "mp", Origin: "1", Cause: "302", Privacy: "history"},
		{Number: "p", Index: "1.1.1", How: "rc", Origin: "1.1"}}
	if got := m.History(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// Every check of what an INVITE tells of its past must be able to fail.
func TestComplaintsOfHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		p := newPair(t, "udp", Memory(n.Host(netip.MustParseAddr("10.0.0.1"))), Memory(n.Host(netip.MustParseAddr("10.0.0.2"))))
		defer n.Close()
		p.bob.OnCall(AutoReject(486, 0))
		for _, c := range []struct{ header, value, want string }{
			{"History-Info", "<sip:a@h>;index=2", "begins with the index"},
			{"History-Info", "<sip:a@h>;index=1, <sip:b@h>;index=1.1.1", `has the index "1.1.1" after`},
			{"History-Info", "<sip:a@h>;index=1, <sip:b@h>;index=1.1, <sip:b@h>;index=1.1", `has the index "1.1" twice`},
			{"History-Info", "<sip:a@h>;index=1, <sip:b@h>;index=1.1;mp=1.2", "has mp=1.2, and no such entry"},
			{"History-Info", "sip:a@h;index=1", "History-Info has no name-addr"},
			{"Diversion", "<sip:a@h>;reason=because", `has the reason "because"`},
			{"Diversion", "sip:a@h;reason=unknown", "Diversion has no name-addr"},
		} {
			l, err := p.alice.Call(p.ctx, "1001", With(c.header, c.value))
			p.must(err)
			p.must(l.FailsWith(p.ctx, 486))
			if !contains(p.bob.Complaints(), c.want) {
				t.Errorf("no complaint that %q: %q", c.want, p.bob.Complaints())
			}
		}
		_ = p.alice.Close()
		_ = p.bob.Close()
	})
}
