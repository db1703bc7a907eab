package main

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/media/speech"
	"ringback/media/tone"
)

// check looks at what types cannot say. It returns the first setting that is wrong, and the end of a sentence that
// begins with its name.
func (c *Config) check() (key string, err error) {
	for _, r := range c.rules() {
		if r.bad {
			return r.key, errors.New(r.sentence)
		}
	}
	return "", nil
}

type rule struct {
	key      string
	bad      bool
	sentence string
}

func oneOf(key, v string, choices ...string) rule {
	return rule{key, !slices.Contains(choices, v), fmt.Sprintf("must be one of %s, not %q", strings.Join(choices, ", "), v)}
}

func between[T int | time.Duration](key string, v, lo, hi T) rule {
	return rule{key, v < lo || v > hi, fmt.Sprintf("must be between %v and %v, not %v", lo, hi, v)}
}

func (c *Config) rules() []rule {
	s, r, a := &c.SIP, &c.Registrar, &c.Auth
	const year = 8760 * time.Hour
	return []rule{
		{"data", c.Data == "", "must not be empty"},
		{"realm", strings.ContainsAny(c.Realm, "\"\\:\r\n") || len(c.Realm) > 128, `must have at most 128 characters and no quote, backslash, colon or line break`},
		{"external_address", !onePerFamily(c), "must have at most one IPv4 and one IPv6 address, neither unspecified nor multicast"},
		oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error"),
		oneOf("log.format", c.Log.Format, formatText, formatJSON),
		{"sip.listen", len(s.Listen)+len(s.TLSListen) == 0, "must have an address, or sip.tls_listen must"},
		{"sip.tls_listen", slices.ContainsFunc(s.TLSListen, func(l Listen) bool { return l.Only == "udp" }), "must not name udp: TLS runs over TCP"},
		{"sip.tls_certificate", len(s.TLSListen) > 0 && s.TLSCertificate == "" && !s.TLSSelfSigned, "is missing: sip.tls_listen needs a certificate and a key, or sip.tls_self_signed = true"},
		{"sip.tls_key", (s.TLSCertificate == "") != (s.TLSKey == ""), "and sip.tls_certificate belong together: one of them is missing"},
		{"sip.tls_self_signed", s.TLSSelfSigned && s.TLSCertificate != "", "must be false where a certificate is given"},
		between("sip.readers", s.Readers, 0, 64),
		between("sip.source_rate", s.SourceRate, 1, 1_000_000),
		between("sip.source_burst", s.SourceBurst, s.SourceRate, 10_000_000),
		between("sip.max_connections", s.MaxConnections, 1, 1_000_000),
		between("sip.max_connections_per_address", s.MaxPerAddress, 1, s.MaxConnections),
		between("sip.idle_timeout", s.IdleTimeout, time.Minute, 7*24*time.Hour),
		between("sip.max_transactions", s.MaxTransactions, 1000, 10_000_000),
		between("sip.min_session_expires", s.MinSessionExpires, 90*time.Second, 24*time.Hour), // RFC 4028 §5
		between("sip.session_expires", s.SessionExpires, s.MinSessionExpires, 24*time.Hour),
		{"sip.qualify", s.Qualify != 0 && (s.Qualify < 5*time.Second || s.Qualify > 24*time.Hour), `must be "0s" (never) or between 5s and 24h0m0s`},
		{"auth.algorithms", !algorithms(a.Algorithms), `must list "MD5", "SHA-256" or both, each once`},
		between("auth.nonce_lifetime", a.NonceLifetime, 10*time.Second, 24*time.Hour),
		between("auth.failures", a.Failures, 1, 10_000),
		between("auth.failure_window", a.FailureWindow, time.Second, time.Hour),
		between("registrar.min_expires", r.MinExpires, time.Second, time.Hour), // RFC 3261 §10.3: below an hour may be refused
		between("registrar.max_expires", r.MaxExpires, r.MinExpires, 7*24*time.Hour),
		between("registrar.default_expires", r.DefaultExpires, r.MinExpires, r.MaxExpires),
		oneOf("registrar.full", r.Full, fullReplace, fullRefuse),
		{"rtp.ports", c.RTP.Ports.Min < 1024 || c.RTP.Ports.Max < c.RTP.Ports.Min || c.RTP.Ports.Max-c.RTP.Ports.Min < 3, "must be four ports or more between 1024 and 65535, the lower one first"},
		{"rtp.timeout", c.RTP.Timeout != 0 && (c.RTP.Timeout < 5*time.Second || c.RTP.Timeout > 24*time.Hour), `must be "0s" (never) or between 5s and 24h0m0s`},
		between("rtp.rest", c.RTP.Rest, 0, time.Minute),
		between("rtp.dscp", c.RTP.DSCP, 0, 63),
		between("calls.grace", c.Calls.Grace, 0, time.Hour),
		between("calls.keep", c.Calls.Keep, 0, 100*year),
		{"calls.time_zone", !isZone(c.Calls.TimeZone), fmt.Sprintf("must be an IANA time zone such as Europe/Berlin, not %q", c.Calls.TimeZone)},
		oneOf("calls.language", c.Calls.Language, append(speech.Languages(), onlyTones)...),
		oneOf("calls.tones", c.Calls.Tones, tone.Countries()...),
		between("recordings.keep", c.Recordings.Keep, 0, 100*year),
		{"recordings.min_free", c.Recordings.MinFree < 1_000_000, `must be "1MB" or more: the database needs some of the disk, too`},
		{"mail.server", c.Mail.Server != "" && !isHostPort(c.Mail.Server), fmt.Sprintf("must be a host with a port, such as smtp.example.com:587, not %q", c.Mail.Server)},
		oneOf("mail.tls", c.Mail.TLS, mailSTARTTLS, mailTLS, mailPlain),
		{"mail.password", (c.Mail.User == "") != (c.Mail.Password == ""), "and mail.user belong together: one of them is missing"},
		{"mail.from", c.Mail.Server != "" && !isAddress(c.Mail.From), fmt.Sprintf("must be an e-mail address such as pbx@example.com, not %q", c.Mail.From)},
		{"http.listen", slices.ContainsFunc(c.HTTP.Listen, func(l Listen) bool { return l.Only == "udp" }), "must not name udp"},
		oneOf("http.metrics", c.HTTP.Metrics, "token", "loopback", "open"),
		between("http.token_failures", c.HTTP.TokenFailures, 1, 10_000),
	}
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && host != "" && n > 0
}

// isAddress reports whether s is an e-mail address without a name before it.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func isZone(name string) bool {
	_, err := timeZone(name)
	return err == nil
}

func onePerFamily(c *Config) bool {
	var four, six int
	for _, a := range c.ExternalAddress {
		if a.IsUnspecified() || a.IsMulticast() {
			return false
		}
		if a.Is4() {
			four++
		} else {
			six++
		}
	}
	return four <= 1 && six <= 1
}

func algorithms(list []string) bool {
	for i, a := range list {
		if a != "MD5" && a != "SHA-256" || slices.Contains(list[:i], a) {
			return false
		}
	}
	return len(list) > 0
}
