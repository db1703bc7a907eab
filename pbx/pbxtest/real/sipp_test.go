package real

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// sipp calls sipp, over each transport: the driver itself.
func TestSippCallsSipp(t *testing.T) {
	for _, transport := range []string{"u1", "un", "t1"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			callee := transport
			if callee == "un" {
				callee = "u1"
			}
			uas := StartSipp(t, Scenario{Name: "uas", Transport: callee, Calls: 5})
			uac := StartSipp(t, Scenario{Name: "uac", Transport: transport, Remote: uas.Addr, Service: "1001", User: "1000", Calls: 5})
			for _, p := range []*Sipp{uac, uas} {
				if err := p.Wait(20 * time.Second); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The phone of pbxtest calls sipp, which sends its sound back.
func TestPhoneCallsSipp(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			uas := StartSipp(t, Scenario{Name: "uas", Transport: transport[:1] + "1", Echo: true})
			p, err := pbxtest.NewPhone(pbxtest.Config{User: "1000", Server: uas.Addr, Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			l, err := p.Call(t.Context(), "1001")
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Answered(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.Play(440)
			if err := l.Hears(t.Context(), 440); err != nil {
				t.Error(err)
			}
			if err := l.Hangup(t.Context()); err != nil {
				t.Error(err)
			}
			if err := uas.Wait(patience); err != nil {
				t.Error(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			for _, c := range p.Complaints() {
				if !strings.Contains(c, "RFC 3581") { // sipp does not fill in rport
					t.Error(c)
				}
			}
		})
	}
}

// sipp calls the phone, and is refused where it should be.
func TestSippCallsPhone(t *testing.T) {
	t.Parallel()
	Need(t, "sipp")
	p, err := pbxtest.NewPhone(pbxtest.Config{User: "1001"})
	if err != nil {
		t.Fatal(err)
	}
	p.OnCall(pbxtest.AutoAnswer(100 * time.Millisecond))
	if err := StartSipp(t, Scenario{Name: "uac", Remote: p.Addr(), Service: "1001", User: "1000"}).Wait(patience); err != nil {
		t.Error(err)
	}
	p.OnCall(pbxtest.AutoReject(486, 0))
	if err := StartSipp(t, Scenario{Name: "uac", Remote: p.Addr(), Service: "1001", User: "1000"}).Wait(patience); err == nil {
		t.Error("sipp says that a call to a busy phone went well")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
