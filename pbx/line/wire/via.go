package wire

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parseVia reads one via-parm at s[i:] and gives the index after it: len(s), or that of the comma.
func parseVia(s string, i int, v *sip.ViaHeader) (next int, what string) {
	slash := strings.IndexByte(s[i:], '/')
	if slash < 0 {
		return 0, "sent-protocol"
	}
	v.ProtocolName = trim(s[i : i+slash])
	i += slash + 1
	if slash = strings.IndexByte(s[i:], '/'); slash < 0 {
		return 0, "sent-protocol"
	}
	v.ProtocolVersion = trim(s[i : i+slash])
	i = skip(s, i+slash+1)
	start := i
	for i < len(s) && class[s[i]]&isToken != 0 {
		i++
	}
	v.Transport = s[start:i]
	if !token(v.ProtocolName) || !token(v.ProtocolVersion) || v.Transport == "" {
		return 0, "sent-protocol"
	}
	start = skip(s, i)
	if start == i {
		return 0, "sent-by"
	}
	for i = start; i < len(s) && s[i] != ';' && s[i] != ','; i++ {
	}
	if v.Host, v.Port, what = hostPort(trim(s[start:i]), false); what != "" {
		return 0, what
	}
	if v.Params, i, what = parseParams(s, i, true); what != "" {
		return 0, what
	}
	for _, p := range v.Params {
		if p.K == "branch" && p.V == "" {
			return 0, "empty branch"
		}
	}
	return i, ""
}

// stamp writes into the top Via of a request where it came from: RFC 3261 §18.2.1, RFC 3581 §4. What the far end
// itself claimed there is overwritten.
func stamp(v *sip.ViaHeader, from netip.AddrPort) {
	ip := from.Addr().Unmap()
	rport := false
	for i := range v.Params {
		if v.Params[i].K == "rport" {
			v.Params[i].V = strconv.Itoa(int(from.Port()))
			rport = true
		}
	}
	v.Params.Remove("received")
	// "If the host portion of the sent-by parameter contains a domain name, or if it contains an IP address that
	// differs from the packet source address, the server MUST add a received parameter"; with rport "even if it is
	// identical" (RFC 3581 §4).
	if !rport {
		if host, err := netip.ParseAddr(v.Host); err == nil && host.Unmap() == ip {
			return
		}
	}
	v.Params = append(v.Params, sip.HeaderKV{K: "received", V: ip.String()})
}

// ResponseHop is where the responses to a request go that came from from with v as its (stamped) top Via:
// RFC 3261 §18.2.2, RFC 3581 §4. For streams it is the same connection, and if that is gone one to the sent-by port at the
// source address. maddr is not followed: it would let a stranger aim our responses.
func ResponseHop(v *sip.ViaHeader, from Hop) Hop {
	to := from
	if v == nil {
		return to
	}
	if !from.Reliable() && v.Params.Has("rport") {
		return to
	}
	port := v.Port
	if port == 0 {
		port = 5060
		if from.Transport == "tls" {
			port = 5061
		}
	}
	to.Remote = netip.AddrPortFrom(from.Remote.Addr(), uint16(port))
	return to
}
