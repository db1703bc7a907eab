package media

import "net/netip"

// learning is how long a packet from the signalled address still wins over one that came from elsewhere.
const learning = int64(1e9)

// latch decides whose packets are the phone's: symmetric RTP (RFC 4961) without letting strangers in.
//
// An Agreement opens it. Then
//   - a packet from exactly the signalled address and port locks it, and so does one from where it was locked before,
//     if the agreement repeats the same addresses;
//   - otherwise a packet may come from any port of the signalled address or of the address the signalling comes
//     from (Agreement.Source: a phone behind NAT signals an address that nobody outside can send from). The first such
//     source becomes the candidate: sound goes there at once. It is locked when it still sends a second later and nothing
//     has come from the signalled address meanwhile.
//
// Once locked, packets from elsewhere are dropped until the next Agreement. The second counts from the candidate's first
// packet, not from the Agreement: a caller that was given early media may keep silent until it is answered.
type latch struct {
	locked    bool
	candidate bool           // peer is one
	peer      netip.AddrPort // where to send
	since     int64          // the candidate's first packet
	signalled netip.AddrPort // from SDP; zero: nowhere
	source    netip.Addr     // from signalling; zero: unknown
	home      netip.AddrPort // where it was locked before an agreement to the same addresses
}

// open begins a new agreement. It keeps the peer if nothing has changed.
func (l *latch) open(signalled netip.AddrPort, source netip.Addr) {
	switch {
	case !signalled.IsValid(): // hold by 0.0.0.0: what was learned stays until an address comes
		l.remember()
		l.peer = netip.AddrPort{}
	case signalled == l.signalled && source == l.source:
		l.remember()
		if l.peer = l.home; !l.peer.IsValid() {
			l.peer = signalled
		}
	default:
		*l = latch{signalled: signalled, source: source, peer: signalled}
	}
}

// remember opens the lock and keeps where it was.
func (l *latch) remember() {
	if l.locked {
		l.home = l.peer
	}
	l.locked, l.candidate = false, false
}

// accept says whether a packet from there is the phone's, and whether the peer has moved.
// While the phone wants to be sent nothing (0.0.0.0), nothing is learned but what was locked is still heard.
func (l *latch) accept(from netip.AddrPort, now int64) (ok, moved bool) {
	if l.locked {
		return from == l.peer, false
	}
	return l.learn(from, now)
}

func (l *latch) learn(from netip.AddrPort, now int64) (ok, moved bool) {
	switch {
	case !l.peer.IsValid():
		return l.home.IsValid() && from == l.home, false
	case from == l.signalled || from == l.home:
		moved = from != l.peer
		l.peer, l.locked, l.candidate = from, true, false
		return true, moved
	case l.candidate:
		if from != l.peer {
			return false, false
		}
		l.locked = now-l.since >= learning
		return true, false
	case from.Addr() == l.signalled.Addr() || from.Addr() == l.source:
		l.peer, l.candidate, l.since = from, true, now
		return true, true
	}
	return false, false
}
