package main

import (
	"net"
	"net/netip"
)

// addresses are those of a setting, without [::] where the machine has no IPv6.
func addresses(list []Listen) []netip.AddrPort {
	var all []netip.AddrPort
	for _, l := range list {
		if l.Addr.Addr() == netip.IPv6Unspecified() && !hasIPv6() {
			continue
		}
		all = append(all, l.Addr)
	}
	return all
}

// sipAddresses are where UDP and TCP are listened for.
func (c *Config) sipAddresses() (udp, tcp []netip.AddrPort) {
	for _, l := range c.SIP.Listen {
		a := addresses([]Listen{l})
		if l.is("udp") {
			udp = append(udp, a...)
		}
		if l.is("tcp") {
			tcp = append(tcp, a...)
		}
	}
	return udp, tcp
}

func hasIPv6() bool {
	c, err := net.ListenUDP("udp6", nil)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// mediaAddresses are where RTP is received: where SIP is. Several addresses of a family become all of that family.
func mediaAddresses(cfg *Config) []netip.Addr {
	var four, six netip.Addr
	take := func(have *netip.Addr, a, all netip.Addr) {
		if have.IsValid() && *have != a {
			a = all
		}
		*have = a
	}
	udp, tcp := cfg.sipAddresses()
	for _, l := range append(append(udp, tcp...), addresses(cfg.SIP.TLSListen)...) {
		if a := l.Addr(); a.Is4() {
			take(&four, a, netip.IPv4Unspecified())
		} else {
			take(&six, a, netip.IPv6Unspecified())
		}
	}
	var all []netip.Addr
	for _, a := range []netip.Addr{four, six} {
		if a.IsValid() {
			all = append(all, a)
		}
	}
	return all
}

// reachable is an address of this machine that a phone can be told: a is what is listened on.
func reachable(a netip.AddrPort) netip.AddrPort {
	if !a.Addr().IsUnspecified() {
		return a
	}
	list, _ := net.InterfaceAddrs()
	for _, n := range list {
		p, err := netip.ParsePrefix(n.String())
		if err == nil && p.Addr().Is4() == a.Addr().Is4() && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			return netip.AddrPortFrom(p.Addr(), a.Port())
		}
	}
	if a.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
}
