// Package memnet is a network in memory: hosts by IP address, datagrams and TCP-like streams, with loss, delay,
// jitter, duplication, reordering and partitions that are set per link and drawn from a seeded source.
//
// Everything it blocks on is a channel, and its only clock is package time, so that it lives in a testing/synctest
// bubble: there, time passes when all wait. Make the sockets in the bubble that uses them. It works in real time, too.
// All methods may be called from any goroutine. Queues are bounded: a datagram that finds its socket's queue full is lost.
package memnet

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Link says how one direction between two hosts behaves. The zero value is perfect: at once, in order, nothing lost.
// Streams know only Delay and Jitter; what else would happen to their segments, TCP makes good.
type Link struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to this much is added; order is kept
	Loss      float64       // probability that a datagram is lost
	Duplicate float64       // probability that a datagram arrives twice
	Reorder   float64       // probability that a datagram is overtaken: it comes 2·Delay+Jitter+5 ms later
}

// Fate says what the network did with a packet.
type Fate string

// What may happen to a packet. A duplicated one is tapped once for each copy.
const (
	Sent        Fate = "sent"
	Lost        Fate = "lost"        // by Link.Loss
	Filtered    Fate = "filtered"    // by the function given to Filter
	Cut         Fate = "cut"         // by a partition
	Duplicated  Fate = "duplicated"  // the copy
	Unreachable Fate = "unreachable" // nobody listens there
)

// Packet is a datagram, or what was given to one Write of a stream.
type Packet struct {
	Time      time.Time
	Transport string // "udp" or "tcp"
	From, To  netip.AddrPort
	Data      []byte // not to be changed or kept by filters and taps
	Fate      Fate
}

// Network connects hosts. The zero value is not usable.
type Network struct {
	mu        sync.Mutex
	rng       *rand.Rand
	def       Link
	links     map[pair]*link
	packets   map[netip.AddrPort]*PacketConn
	listeners map[netip.AddrPort]*Listener
	conns     map[*Conn]struct{}
	nextPort  uint16
	pending   events
	seq       uint64
	timer     *time.Timer
	filter    func(Packet) bool
	taps      []func(Packet)
	closed    bool
}

type pair struct{ from, to netip.Addr }

type link struct {
	Link
	own     bool // Link was set for this pair
	cut     bool
	lastDue time.Time
	held    []func() // stream segments that wait for the end of a partition
}

// New returns a network whose chances are drawn from seed.
func New(seed uint64) *Network {
	return &Network{
		rng:       rand.New(rand.NewPCG(seed, 0x72696e676261636b)),
		links:     make(map[pair]*link),
		packets:   make(map[netip.AddrPort]*PacketConn),
		listeners: make(map[netip.AddrPort]*Listener),
		conns:     make(map[*Conn]struct{}),
		nextPort:  32768,
	}
}

// SetDefault is how links behave that were not set by SetLink.
func (n *Network) SetDefault(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.def = l
}

// SetLink says how packets from one host to another fare. The way back is another link.
func (n *Network) SetLink(from, to netip.Addr, l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.link(from, to)
	k.Link, k.own = l, true
}

// Partition cuts two hosts off from each other, both ways, or ends that. Datagrams are lost meanwhile; segments of
// streams come when it ends.
func (n *Network) Partition(a, b netip.Addr, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range []*link{n.link(a, b), n.link(b, a)} {
		k.cut = cut
		if !cut {
			for _, deliver := range k.held {
				deliver()
			}
			k.held = nil
		}
	}
}

// Filter makes keep judge each packet before the link does; false loses it. nil takes the filter out. keep runs on
// the sender's goroutine and must not call the network. A stream whose data is filtered simply misses it.
func (n *Network) Filter(keep func(Packet) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.filter = keep
}

// Tap tells f of each packet and its fate as it is sent. f runs on the sender's goroutine, one call at a time, and
// must not call the network.
func (n *Network) Tap(f func(Packet)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taps = append(n.taps, f)
}

// Host is the network as seen from one address.
func (n *Network) Host(addr netip.Addr) *Host { return &Host{n, addr} }

// Host opens sockets at one address: an unspecified or invalid local address means that of the host.
type Host struct {
	net  *Network
	addr netip.Addr
}

// Addr is the host's address.
func (h *Host) Addr() netip.Addr { return h.addr }

func (h *Host) at(local netip.AddrPort) netip.AddrPort {
	if !local.Addr().IsValid() || local.Addr().IsUnspecified() {
		return netip.AddrPortFrom(h.addr, local.Port())
	}
	return local
}

// ListenPacket is Network.ListenPacket at this host.
func (h *Host) ListenPacket(local netip.AddrPort) (*PacketConn, error) {
	return h.net.ListenPacket(h.at(local))
}

// Listen is Network.Listen at this host.
func (h *Host) Listen(local netip.AddrPort) (net.Listener, error) { return h.net.Listen(h.at(local)) }

// Dial is Network.Dial from this host.
func (h *Host) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	return h.net.Dial(ctx, h.at(local), remote)
}

// Close ends all sockets and drops what is under way.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	n.pending = nil
	if n.timer != nil {
		n.timer.Stop()
	}
	var all []interface{ Close() error }
	for _, p := range n.packets {
		all = append(all, p)
	}
	for _, l := range n.listeners {
		all = append(all, l)
	}
	for c := range n.conns {
		all = append(all, c)
	}
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// Open lists the sockets that were not closed, for checks at the end of a test.
func (n *Network) Open() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var open []string
	for a := range n.packets {
		open = append(open, "udp "+a.String())
	}
	for a := range n.listeners {
		open = append(open, "tcp listener "+a.String())
	}
	for c := range n.conns {
		open = append(open, fmt.Sprintf("tcp %v to %v", c.local, c.remote))
	}
	return open
}

// link needs n.mu.
func (n *Network) link(from, to netip.Addr) *link {
	p := pair{from, to}
	k := n.links[p]
	if k == nil {
		k = &link{}
		n.links[p] = k
	}
	if !k.own {
		k.Link = n.def
	}
	return k
}

// port finds a free port where local has none. It needs n.mu.
func (n *Network) port(local netip.AddrPort, taken func(netip.AddrPort) bool) (netip.AddrPort, error) {
	if !local.Addr().IsValid() || local.Addr().IsUnspecified() {
		return local, errors.New("memnet: a socket needs the address of a host")
	}
	if local.Port() != 0 {
		if taken(local) {
			return local, os.NewSyscallError("bind", syscall.EADDRINUSE)
		}
		return local, nil
	}
	for range 28000 {
		p := netip.AddrPortFrom(local.Addr(), n.nextPort)
		if n.nextPort++; n.nextPort > 60999 {
			n.nextPort = 32768
		}
		if !taken(p) {
			return p, nil
		}
	}
	return local, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
}

// tap needs n.mu.
func (n *Network) tap(p Packet, fate Fate) {
	p.Fate = fate
	for _, f := range n.taps {
		f(p)
	}
}

// due is when something sent now on k arrives. It needs n.mu.
func (n *Network) due(k *link, now time.Time) time.Time {
	due := now.Add(k.Delay)
	if k.Jitter > 0 {
		due = due.Add(time.Duration(n.rng.Int64N(int64(k.Jitter) + 1)))
	}
	if due.Before(k.lastDue) {
		due = k.lastDue
	}
	k.lastDue = due
	return due
}

// at runs deliver when its time has come, in order of time and then of calls. It needs n.mu, and so will deliver.
func (n *Network) at(now, due time.Time, deliver func()) {
	if !due.After(now) {
		deliver()
		return
	}
	n.seq++
	heap.Push(&n.pending, event{due, n.seq, deliver})
	if n.pending[0].seq == n.seq {
		n.arm(now)
	}
}

func (n *Network) arm(now time.Time) {
	if n.timer != nil {
		n.timer.Stop()
	}
	if len(n.pending) > 0 {
		n.timer = time.AfterFunc(n.pending[0].due.Sub(now), n.run)
	}
}

func (n *Network) run() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for len(n.pending) > 0 && !n.pending[0].due.After(now) {
		heap.Pop(&n.pending).(event).deliver()
	}
	n.arm(now)
}

type event struct {
	due     time.Time
	seq     uint64
	deliver func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].due.Equal(e[j].due) {
		return e[i].seq < e[j].seq
	}
	return e[i].due.Before(e[j].due)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return x
}
