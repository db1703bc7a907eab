package line

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

type routeKey struct {
	transport string
	local     netip.AddrPort
	remote    netip.Addr
}

// address is our own address as the far end of a hop can reach it: the advertised one, the listener's, or where that
// is unspecified the one the system would send from.
func (l *Line) address(to wire.Hop) (netip.Addr, uint16) {
	local := to.Local
	if local.Port() == 0 && l.o.Locals != nil {
		for _, a := range l.o.Locals(to.Transport) {
			if a.Addr().Is4() == to.Remote.Addr().Unmap().Is4() {
				local = a
				break
			}
		}
	}
	addr := local.Addr().Unmap()
	if l.o.Advertise != nil {
		if a := l.o.Advertise(to.Remote.Addr()); a.IsValid() {
			addr = a
		}
	}
	if !addr.IsValid() || addr.IsUnspecified() {
		addr = sourceFor(to.Remote)
	}
	return addr, local.Port()
}

// sourceFor is the address that the system would send from. Nothing is sent: a datagram socket is only connected.
func sourceFor(remote netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(remote))
	if err != nil {
		return netip.IPv4Unspecified()
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// sender is our own address in the forms that headers need.
type sender struct {
	hostport string // as URIs have it; the default port is left out
	host     string // without brackets
	port     int    // 0: the default one
}

// sender is our address towards to.
func (l *Line) sender(to wire.Hop) sender {
	key := routeKey{to.Transport, to.Local, to.Remote.Addr()}
	l.mu.Lock()
	s, ok := l.routes[key]
	l.mu.Unlock()
	if ok {
		return s
	}
	addr, port := l.address(to)
	s = sender{host: addr.String()}
	s.hostport = s.host
	if addr.Is6() {
		s.hostport = "[" + s.host + "]"
	}
	if standard := to.Transport == "tls" && port == 5061 || to.Transport != "tls" && port == 5060; port != 0 && !standard {
		s.port = int(port)
		s.hostport += ":" + strconv.Itoa(s.port)
	}
	l.mu.Lock()
	if len(l.routes) >= maxRoutes {
		clear(l.routes)
	}
	l.routes[key] = s
	l.mu.Unlock()
	return s
}

// maxRoutes bounds the remote addresses that our own address towards them is remembered for.
const maxRoutes = 4096

func (l *Line) hostport(to wire.Hop) string { return l.sender(to).hostport }

// sentBy is what the Via of a request says (transaction.Options.SentBy).
func (l *Line) sentBy(to wire.Hop) (string, int) {
	s := l.sender(to)
	return s.host, s.port
}

// contact is our Contact towards to. It names no party: what is hidden must not leak here.
func (l *Line) contact(to wire.Hop) string {
	return "<sip:ringback@" + l.hostport(to) + transportParam(to) + ">"
}

// transportParam is the parameter that a URI of ours needs to be reached by the transport of a hop.
func transportParam(to wire.Hop) string {
	switch to.Transport {
	case "tcp", "tls":
		return ";transport=" + to.Transport
	}
	return ""
}

// domain is the host part of our From and To.
func (l *Line) domain(to wire.Hop) string {
	if l.o.Domain != "" {
		return l.o.Domain
	}
	return l.hostport(to)
}

// reach is where a request of a dialog goes: to the address that its next hop names, if that is the host that we
// hear the phone from; otherwise (NAT, a host name) to where we hear it from. A living connection always goes first.
func reach(next *sip.Uri, heard wire.Hop) wire.Hop {
	if heard.Reliable() && heard.Conn == 0 {
		return heard // there is no connection that could be preferred to another one
	}
	a, err := netip.ParseAddr(strings.Trim(next.Host, "[]"))
	if err != nil || a.Unmap() != heard.Remote.Addr().Unmap() {
		return heard
	}
	port := next.Port
	if port <= 0 || port > 65535 {
		port = 5060
		if heard.Transport == "tls" {
			port = 5061
		}
	}
	heard.Remote = netip.AddrPortFrom(heard.Remote.Addr(), uint16(port))
	return heard
}
