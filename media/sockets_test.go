package media

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// onSockets runs a test over loopback: with the system's poller, which waits for packets, for beats or for either in turn,
// and with a goroutine a socket.
func onSockets(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("poller", func(t *testing.T) { test(t, Options{busy: 1e9}) })
	t.Run("beats", func(t *testing.T) { test(t, Options{busy: 1, Loops: 1}) })
	t.Run("either", func(t *testing.T) { test(t, Options{busy: 1000, Loops: 2}) })
	t.Run("goroutines", func(t *testing.T) {
		test(t, Options{Listen: func(at netip.AddrPort) (PacketConn, error) {
			c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
			if err != nil {
				return nil, err
			}
			return c, nil
		}})
	})
}

// realPhone is on a real socket. It must be asked for packets that come for certain: reading waits.
func realPhone(t *testing.T, host netip.Addr, s *Stream) *phone {
	t.Helper()
	c := listenUDP(t, host)
	return newPhone(t, c, netip.AddrPortFrom(host, port(c)), s.LocalRTP())
}

func (p *phone) next() []byte {
	p.t.Helper()
	b := make([]byte, 1500)
	p.conn.(*net.UDPConn).SetReadDeadline(time.Now().Add(10 * time.Second)) // a lost test must end
	n, from, err := p.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		p.t.Fatal(err)
	}
	if netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != p.to {
		p.t.Fatalf("sound from %v, not from %v", from, p.to)
	}
	return b[:n]
}

func TestSocketsRelay(t *testing.T) {
	for _, host := range []netip.Addr{loopback, netip.IPv6Loopback()} {
		t.Run(host.String(), func(t *testing.T) {
			if host.Is6() && !hasIPv6() {
				t.Log("no IPv6 on this host: not tested")
				return
			}
			onSockets(t, func(t *testing.T, o Options) {
				o.Bind = []netip.Addr{host}
				o.MinPort, o.MaxPort = 32000, 32699
				e, err := New(o)
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				sa, sb := must(t, e), must(t, e)
				alice, bob := realPhone(t, host, sa), realPhone(t, host, sb)
				mallory := realPhone(t, host, sa)
				sa.Agree(terms(alice, ulaw, event))
				sb.Agree(terms(bob, alaw, Format{Codec: Telephone, SendPT: 96, RecvPT: 96}))
				if err := sa.Connect(sb); err != nil {
					t.Fatal(err)
				}
				want := frame(7)
				translate(want, &uLawToALaw)
				var last seen
				for i := range 200 {
					alice.say(0, frame(7))
					got := bob.next()
					h := read(t, got)
					if h.pt != 8 || !bytes.Equal(payload(t, got), want) {
						t.Fatalf("bob heard %x", got)
					}
					if i > 0 && (h.seq != last.seq+1 || h.ts != last.ts+160 || h.ssrc != last.ssrc) {
						t.Fatalf("%+v after %+v", h, last)
					}
					last = h
					mallory.say(0, frame(66)) // the same address, but locked to alice's port
					bob.say(8, frame(3))
					if h := read(t, alice.next()); h.pt != 0 {
						t.Fatalf("alice got %d", h.pt)
					}
				}
				alice.say(101, []byte{1, 0, 0, 160})
				if h := read(t, bob.next()); h.pt != 96 {
					t.Fatalf("event as %d", h.pt)
				}
				sb.Echo()
				bob.say(8, frame(5))
				if got := bob.next(); !bytes.Equal(payload(t, got), frame(5)) {
					t.Fatalf("echo %x", got)
				}
				st := sa.Close()
				if st.PacketsIn != 201 || st.PacketsOut != 200 || st.Dropped != 200 || st.LostIn != 0 {
					t.Errorf("%+v", st)
				}
				sb.Close()
				if err := e.Leaks(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Everything at once: no race, no dead-lock, no leak, and nothing after Close.
func TestSocketsStorm(t *testing.T) {
	onSockets(t, func(t *testing.T, o Options) {
		o.Rest = -1
		o.MinPort, o.MaxPort = 31000, 31999
		o.Timeout = time.Millisecond
		e := benchEngine(t, o)
		const workers = 6
		var mu sync.Mutex
		var pool []*Stream
		pick := func() *Stream {
			mu.Lock()
			defer mu.Unlock()
			if len(pool) == 0 {
				return nil
			}
			return pool[rand.IntN(len(pool))]
		}
		var wg, ended sync.WaitGroup // ended: each sound once, or the engine counts a panic
		for w := range workers {
			conn := listenUDP(t, loopback)
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(w), 1))
				me := agreed(port(conn), ulaw, event)
				all := me.Formats
				for i := range 3000 {
					s := pick()
					switch n := rnd.IntN(20); {
					case s == nil || n == 0:
						s, err := e.Open(StreamOptions{OnTimeout: func(s *Stream) { s.Disconnect() }})
						if err != nil {
							continue
						}
						mu.Lock()
						pool = append(pool, s)
						mu.Unlock()
					case n == 1:
						mu.Lock()
						for i, x := range pool {
							if x == s {
								pool = append(pool[:i], pool[i+1:]...)
								break
							}
						}
						mu.Unlock()
						before := s.Close()
						if s.Stats() != before {
							t.Error("something came after Close")
						}
					case n < 4:
						me.Recv, me.Mux = rnd.IntN(5) > 0, rnd.IntN(2) == 0
						me.Formats = all[:1+rnd.IntN(2)]
						s.Agree(me)
					case n < 6:
						if p := pick(); p != nil {
							s.Connect(p)
						}
					case n == 6:
						s.Echo()
					case n == 7:
						s.Disconnect()
					case n == 9:
						ended.Add(1)
						s.Play(&ramp{t: t, frames: rnd.IntN(3)}, func(bool) { ended.Done() })
					case n == 10:
						s.Keys(func(byte) bool { s.Disconnect(); return false })
					case n == 12:
						ended.Add(1)
						s.Press("15", func(bool) { ended.Done() })
					case n == 8:
						s.Stats()
						e.Stats()
						s.Formats()
					case n == 11:
						conn.WriteToUDPAddrPort(packet(101, uint16(i), uint32(i*160), uint32(w), []byte{1, 0, 0, 160}), s.LocalRTP())
					default:
						conn.WriteToUDPAddrPort(packet(0, uint16(i), uint32(i*160), uint32(w), frame(0)), s.LocalRTP())
					}
				}
			})
		}
		wg.Wait()
		for _, s := range pool {
			s.Close()
		}
		ended.Wait()
		if err := e.Leaks(); err != nil {
			t.Error(err)
		}
		if st := e.Stats(); st.PortsInUse != 0 || st.Panics != 0 || st.Opened != st.Closed {
			t.Errorf("%+v", st)
		}
	})
}

// The engine closes what others forgot.
func TestCloseEngine(t *testing.T) {
	onSockets(t, func(t *testing.T, o Options) {
		o.MinPort, o.MaxPort = 30300, 30399
		e := benchEngine(t, o)
		for range 5 {
			must(t, e)
		}
		if e.Leaks() == nil {
			t.Error("five streams are open")
		}
		e.Close()
		e.Close()
		if err := e.Leaks(); err != nil {
			t.Error(err)
		}
		if _, err := e.Open(StreamOptions{}); err != ErrClosed {
			t.Error(err)
		}
		for p := uint16(30300); p < 30400; p += 2 {
			c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, p)))
			if err != nil {
				t.Fatalf("port %d is still bound: %v", p, err)
			}
			c.Close()
		}
	})
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	sa, sb := must(t, e), must(t, e)
	sa.Agree(agreed(1000, ulaw))
	sb.Agree(agreed(2000, alaw))
	if err := sa.Connect(sb); err != nil {
		t.Fatal(err)
	}
	from := netip.AddrPortFrom(loopback, 1000)
	// A plain packet, one with sources, one with an extension, one with an extension that nobody can read.
	heads := [][]byte{
		{0x80, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1},
		{0x82, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
		{0x91, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0xbe, 0xde, 0, 1, 0x10, 1, 0x20, 2},
		{0x90, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0xbe, 0xde, 0, 1, 0x1f, 1, 2, 3},
	}
	in, seq, h := make([]byte, 200), uint16(0), new(header)
	n := testing.AllocsPerRun(1000, func() {
		for _, head := range heads {
			seq++
			copy(in, head)
			in[2], in[3] = byte(seq>>8), byte(seq)
			sa.arrived(in, false, from, e.now(), h, &e.counters)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for %d packets", n, len(heads))
	}
	if out := sb.Stats().PacketsOut; out != uint64(seq) {
		t.Errorf("%d of %d packets came through", out, seq)
	}
}
