package offer

import (
	"cmp"
	"net/netip"
	"time"

	"ringback/media"
)

// remote is what the stream m of the phone's description d says about where and how to send; mux says whether we
// would share one port for RTP and RTCP. Errors have status 488, or 400 where an address is missing.
func remote(d *description, m *stream, l *Local, mux bool) (a media.Agreement, dir direction, e *Error) {
	c := m.conn
	if !c.said {
		c = d.conn
	}
	switch {
	case !c.said:
		return a, 0, &Error{400, "SDP has no c= line for its audio"}
	case c.err != nil:
		return a, 0, c.err
	case !c.addr.IsUnspecified() && c.addr.Is4() != l.RTP.Addr().Is4():
		return a, 0, &Error{488, "audio address of the wrong IP version"}
	}
	if dir = m.dir; dir == unsaid {
		dir = d.dir
	}
	a.PTime = m.ptime
	if longest := m.maxptime; longest > 0 && longest < cmp.Or(a.PTime, 20*time.Millisecond) {
		a.PTime = longest
	}
	a.Mux = m.mux && mux
	if c.addr.IsUnspecified() {
		return a, dir, nil
	}
	a.Remote = netip.AddrPortFrom(c.addr, m.port)
	switch {
	case a.Mux:
		a.RemoteRTCP = a.Remote
	case m.rtcpPort != 0:
		at := c.addr
		if r := m.rtcpAddr; r.IsValid() && !r.IsUnspecified() && r.Is4() == at.Is4() {
			at = r
		}
		a.RemoteRTCP = netip.AddrPortFrom(at, m.rtcpPort)
	case m.port != 65535:
		a.RemoteRTCP = netip.AddrPortFrom(c.addr, m.port+1)
	}
	return a, dir, nil
}
