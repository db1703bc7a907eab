package media

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// routes remembers which of the host's addresses is used towards a phone, for engines bound to an unspecified address.
type routes struct {
	mu    sync.Mutex
	local map[netip.Addr]netip.Addr
	since time.Time
}

const (
	maxRoutes = 1024
	routeLife = time.Minute
)

// advertised is the address that a phone is told to send to.
func (e *Engine) advertised(f *family, remote netip.Addr) netip.Addr {
	remote = remote.Unmap()
	if e.advertiseFor != nil {
		if a := e.advertiseFor(remote).Unmap(); a.IsValid() && a.Is4() == f.bind.Is4() {
			return a
		}
	}
	switch {
	case f.advertise.IsValid():
		return f.advertise
	case !remote.IsValid() || e.virtual:
		return f.bind
	}
	return e.routes.to(remote, f.bind)
}

// to asks the system, without a packet being sent.
func (r *routes) to(remote, otherwise netip.Addr) netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.local == nil || len(r.local) >= maxRoutes || time.Since(r.since) > routeLife {
		r.local, r.since = make(map[netip.Addr]netip.Addr), time.Now()
	}
	if a, ok := r.local[remote]; ok {
		return a
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err != nil {
		return otherwise
	}
	defer c.Close()
	a := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone("")
	r.local[remote] = a
	return a
}
