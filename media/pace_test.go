//go:build linux

package media

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPace(t *testing.T) {
	p := pace{from: 4000}
	now := int64(0)
	run := func(d time.Duration, every time.Duration) {
		for end := now + int64(d); now < end; now += int64(every) {
			if p.count(1, now) {
				p.busy = !p.busy
			}
		}
	}
	for _, step := range []struct {
		every time.Duration // between packets
		busy  bool
	}{
		{10 * time.Millisecond, false}, // a call
		{time.Second / 3500, false},
		{time.Second / 50000, true},
		{time.Second / 3000, true}, // below where it began, above where it ends
		{time.Second / 1500, false},
		{time.Second / 3000, false},
	} {
		run(time.Second, step.every)
		if p.busy != step.busy {
			t.Errorf("a packet each %v: busy is %v", step.every, p.busy)
		}
	}
	p.busy = true
	p.count(0, now+window) // what came in the window before
	if !p.count(0, now+2*window) {
		t.Error("a silent loop stays busy")
	}
}

// A loop on beats that has nothing to read waits for packets again, and gets the next one.
func TestBeatsEnd(t *testing.T) {
	e := benchEngine(t, Options{busy: 2000, Loops: 1, MinPort: 30200, MaxPort: 30299})
	s := must(t, e)
	defer s.Close()
	alice := realPhone(t, loopback, s)
	s.Agree(terms(alice, ulaw))
	s.Echo()
	for range 80 {
		for range 50 { // far more than the rate
			alice.say(0, frame(0))
		}
		for range 50 {
			alice.next()
		}
	}
	w := e.poller.loops[0].waiting
	for stopped := false; !stopped; { // the engine is on its way there; the test's own time limit ends this
		var left unix.ItimerSpec
		if err := unix.TimerfdGettime(w.timer, &left); err != nil {
			t.Fatal(err)
		}
		stopped = left.Interval == unix.Timespec{}
	}
	alice.say(0, frame(1))
	alice.next()
}

// The first packet that needs it makes a socket fragment.
func TestTooLongForOnePacket(t *testing.T) {
	p := &poller{}
	s, err := p.open(netip.AddrPortFrom(loopback, 0), false, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var to target
	to.set(netip.AddrPortFrom(loopback, 9))
	option := func(want int, why string) {
		t.Helper()
		if got, err := unix.GetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER); err != nil || got != want {
			t.Errorf("%s: option %d, want %d (%v)", why, got, want, err)
		}
	}
	if !s.send(make([]byte, 172), &to) {
		t.Error("a common packet was not sent")
	}
	option(unix.IP_PMTUDISC_PROBE, "common")
	if s.send(make([]byte, 1<<16), &to) {
		t.Error("more than a datagram was sent")
	}
	option(unix.IP_PMTUDISC_WANT, "long")
}
