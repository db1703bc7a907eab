package line

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"ringback/pbx/line/wire"
	"ringback/pbx/pbxtest/memnet"
)

// phone is a socket that sends and gets SIP text.
type phone struct {
	s      *scene
	number string
	addr   netip.AddrPort
	conn   *memnet.PacketConn
	stream net.Conn

	mu     sync.Mutex
	inbox  []message
	trying []message // 100: it comes after 200 ms wherever nothing else has come, so it is no part of the conversation
}

type message struct {
	text string
	at   time.Time
}

func (s *scene) phone(number, ip string) *phone { return s.phoneAt(number, ip+":5060") }

func (s *scene) phoneAt(number, addr string) *phone {
	p := &phone{s: s, number: number, addr: netip.MustParseAddrPort(addr)}
	c, err := s.net.ListenPacket(p.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	p.conn = c
	go func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.got(string(buf[:n]))
		}
	}()
	return p
}

// tcp makes the phone use a stream; messages are cut at Content-Length by one read each, as memnet keeps writes whole.
func (s *scene) tcp(number, ip string) *phone {
	p := &phone{s: s, number: number, addr: netip.MustParseAddrPort(ip + ":5060")}
	c, err := s.net.Dial(context.Background(), netip.MustParseAddrPort(ip+":40000"), netip.MustParseAddrPort(pbxAddr+":5060"))
	if err != nil {
		s.t.Fatal(err)
	}
	p.stream = c
	go p.readStream(c)
	return p
}

func (s *scene) phoneOver(transport, number, ip string) *phone {
	if transport == "tcp" {
		return s.tcp(number, ip)
	}
	return s.phone(number, ip)
}

func (p *phone) readStream(c net.Conn) {
	buf := make([]byte, 65536)
	var rest []byte
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		rest = append(rest, buf[:n]...)
		for {
			n, bad := wire.Frame(rest)
			if n <= 0 || bad != "" || n > len(rest) {
				break
			}
			p.got(string(rest[:n]))
			rest = rest[n:]
		}
	}
}

func (p *phone) got(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(text, "SIP/2.0 100") {
		p.trying = append(p.trying, message{text, time.Now()})
		return
	}
	p.inbox = append(p.inbox, message{text, time.Now()})
}

// send writes SIP text: \n is CRLF, and Content-Length is added.
func (p *phone) send(text string) {
	p.s.t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	body = strings.ReplaceAll(body, "\n", "\r\n")
	b := strings.ReplaceAll(strings.TrimSpace(head), "\n", "\r\n") + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	var err error
	if p.stream != nil {
		_, err = p.stream.Write([]byte(b))
	} else {
		_, err = p.conn.WriteToUDPAddrPort([]byte(b), netip.MustParseAddrPort(pbxAddr+":5060"))
	}
	if err != nil {
		p.s.t.Fatal(err)
	}
}

// next is the next message that came; it waits until nothing happens any more at this moment.
func (p *phone) next() string {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inbox) == 0 {
		p.s.t.Fatalf("%s got nothing; the exchange heard %q", p.number, p.s.x.log())
	}
	m := p.inbox[0]
	p.inbox = p.inbox[1:]
	return m.text
}

// expect is next, and checks how it starts.
func (p *phone) expect(start string) string {
	p.s.t.Helper()
	m := p.next()
	if !strings.HasPrefix(m, start) {
		p.s.t.Fatalf("%s got\n%s\nwant %q", p.number, m, start)
	}
	return m
}

// until skips retransmissions of what came before.
func (p *phone) until(start, skip string) string {
	p.s.t.Helper()
	for {
		m := p.next()
		if strings.HasPrefix(m, start) {
			return m
		}
		if !strings.HasPrefix(m, skip) {
			p.s.t.Fatalf("%s got\n%s\nwant %q", p.number, m, start)
		}
	}
}

func (p *phone) silent() {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inbox) > 0 {
		p.s.t.Fatalf("%s got unexpectedly\n%s", p.number, p.inbox[0].text)
	}
}

// times takes everything that came and gives when, counted from since.
func (p *phone) times(start string, since time.Time) (at []time.Duration) {
	p.s.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.inbox {
		if !strings.HasPrefix(m.text, start) {
			p.s.t.Fatalf("%s got\n%s\nwant only %q", p.number, m.text, start)
		}
		at = append(at, m.at.Sub(since))
	}
	p.inbox = nil
	return at
}
