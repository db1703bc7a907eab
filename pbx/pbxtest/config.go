package pbxtest

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"
)

// Config is what a phone is set up with.
type Config struct {
	Name     string         // its column in the ladder; default: User
	User     string         // its number
	Password string         // for digest
	AuthUser string         // default: User
	Domain   string         // host part of its address of record; default: the server's address
	Server   netip.AddrPort // the PBX, or another phone
	Network  Network        // default: Sockets
	Local    netip.Addr     // default: 127.0.0.1
	Port     uint16         // for SIP; 0 means any free one

	Transport string      // "udp" (default), "tcp" or "tls"
	TLS       *tls.Config // for "tls"

	Algorithms []string // of digest, of those the phone knows: SHA-256, MD5 (default: both)
	Codecs     []string // in the order it prefers; default: PCMU, PCMA, telephone-event
	EventPT    uint8    // payload type of telephone-event; default 101
	Rel100     bool     // offers 100rel (RFC 3262)
	NoReuse    bool     // does not use a nonce twice
	OneCodec   bool     // answers offers with one codec only (and telephone-event)
	NoAudio    bool     // opens no RTP sockets: SDP names a port where nobody listens
	ViaHost    string   // host:port shown in Via and Contact instead of the true one, as behind NAT
	Instance   string   // +sip.instance of its Contact (RFC 5626), such as urn:uuid:…
	Headers    []Header // added to each request out of a dialog

	T1       time.Duration // default 500 ms (RFC 3261 table 4)
	Patience time.Duration // how long it waits where a context has no deadline; default 5 s
}

// complete fills in the defaults.
func (c *Config) complete() error {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.Name, c.User)
	def(&c.AuthUser, c.User)
	def(&c.Transport, "udp")
	def(&c.Domain, c.Server.String())
	if c.Network == nil {
		c.Network = Sockets
	}
	if !c.Local.IsValid() {
		c.Local = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if m, ok := c.Network.(memory); ok {
		c.Local = m.Addr()
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"SHA-256", "MD5"}
	}
	if c.Codecs == nil {
		c.Codecs = []string{"PCMU", "PCMA", "telephone-event"}
	}
	if c.EventPT == 0 {
		c.EventPT = 101
	}
	if c.T1 == 0 {
		c.T1 = 500 * time.Millisecond
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	if c.Transport != "udp" && c.Transport != "tcp" && c.Transport != "tls" {
		return fmt.Errorf("unknown transport %q", c.Transport)
	}
	return nil
}
