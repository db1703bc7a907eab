package wire

import "sync/atomic"

// Traffic counts one transport ("udp", "tcp", "tls") since Open.
type Traffic struct {
	In, Out    uint64 // messages
	Malformed  uint64 // did not pass Parse
	Limited    uint64 // dropped (UDP) or held back (streams) by the limit per source
	Keepalives uint64 // pings
	SendErrors uint64
	Conns      int64  // open now
	Accepted   uint64 // connections taken
	Dialled    uint64 // connections opened, or tried
	Evicted    uint64 // closed because there were too many
	TimedOut   uint64 // closed because they were silent, or slow
	Unfinished uint64 // closed with half a message
	ReadErrors uint64
	QueueFull  uint64
	DialErrors uint64
	Handshakes uint64 // TLS handshakes that failed
}

// Stats are counters for the monitoring.
type Stats struct {
	UDP, TCP, TLS Traffic
	Panics        uint64 // of the Receiver; each is in the log with its stack
}

type traffic struct {
	in, out, malformed, limited, keepalives, sendErrors                                         atomic.Uint64
	conns                                                                                       atomic.Int64
	accepted, dialled, evicted, timedOut, unfinished, readErrors, queueFull, dialErrors, shakes atomic.Uint64
}

func (t *traffic) read() Traffic {
	return Traffic{
		In: t.in.Load(), Out: t.out.Load(), Malformed: t.malformed.Load(), Limited: t.limited.Load(),
		Keepalives: t.keepalives.Load(), SendErrors: t.sendErrors.Load(), Conns: t.conns.Load(),
		Accepted: t.accepted.Load(), Dialled: t.dialled.Load(), Evicted: t.evicted.Load(), TimedOut: t.timedOut.Load(),
		Unfinished: t.unfinished.Load(), ReadErrors: t.readErrors.Load(), QueueFull: t.queueFull.Load(),
		DialErrors: t.dialErrors.Load(), Handshakes: t.shakes.Load(),
	}
}

// Stats may be called from anywhere.
func (t *Transport) Stats() Stats {
	return Stats{UDP: t.udp.read(), TCP: t.tcp.read(), TLS: t.tls.read(), Panics: t.panics.Load()}
}

func (t *Transport) count(transport string) *traffic {
	switch transport {
	case "tcp":
		return &t.tcp
	case "tls":
		return &t.tls
	}
	return &t.udp
}
