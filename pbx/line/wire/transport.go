package wire

import "net/netip"

// Transport is all sockets of one SIP element. It is a Sender.
type Transport struct{}

// New makes a Transport that is not open yet.
func New(o Options) *Transport { return &Transport{} }

// Open binds every address of the options, all or none, and hands what arrives to r: on the socket's reader goroutine,
// or the connection's, so in the order of arrival per source. A panic in r is counted and logged, and the reader goes on.
func (t *Transport) Open(r Receiver) error { return nil }

// Locals are the bound addresses of "udp", "tcp" or "tls", in the order of the options.
func (t *Transport) Locals(transport string) []netip.AddrPort { return nil }

// Send is Sender. A stream without a living connection is dialled in the background.
func (t *Transport) Send(to Hop, b []byte) error { return nil }

// Close closes every socket and returns when all goroutines have ended; Closed is still told of the connections.
func (t *Transport) Close() error { return nil }
