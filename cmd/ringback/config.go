package main

import (
	"net/netip"
	"runtime"
	"time"
)

// Config is every setting of an instance. A setting's name is that of config.toml: "sip.listen" is also RINGBACK_SIP_LISTEN
// in the environment and, for those that scripts use, --sip-listen. Settings marked live take effect on SIGHUP; the
// others need a restart. config.example.toml says what each means; a test keeps it equal to defaultConfig.
type Config struct {
	Data            string         `key:"data"`
	Realm           string         `key:"realm"`
	ExternalAddress []netip.Addr   `key:"external_address" live:"yes"`
	LocalNetworks   []netip.Prefix `key:"local_networks" live:"yes"`

	Log struct {
		Level  string `key:"level" live:"yes"`
		Format string `key:"format"`
	} `key:"log"`

	SIP struct {
		Listen            []Listen      `key:"listen"`
		TLSListen         []Listen      `key:"tls_listen"`
		TLSCertificate    string        `key:"tls_certificate" live:"yes"`
		TLSKey            string        `key:"tls_key" live:"yes"`
		TLSSelfSigned     bool          `key:"tls_self_signed"`
		Readers           int           `key:"readers"`
		SourceRate        int           `key:"source_rate"`
		SourceBurst       int           `key:"source_burst"`
		MaxConnections    int           `key:"max_connections"`
		MaxPerAddress     int           `key:"max_connections_per_address"`
		IdleTimeout       time.Duration `key:"idle_timeout"`
		MaxTransactions   int           `key:"max_transactions"`
		SessionExpires    time.Duration `key:"session_expires"`
		MinSessionExpires time.Duration `key:"min_session_expires"`
		Qualify           time.Duration `key:"qualify"`
	} `key:"sip"`

	Auth struct {
		Algorithms    []string      `key:"algorithms"`
		NonceLifetime time.Duration `key:"nonce_lifetime"`
		Failures      int           `key:"failures"`
		FailureWindow time.Duration `key:"failure_window"`
	} `key:"auth"`

	Registrar struct {
		MinExpires     time.Duration `key:"min_expires" live:"yes"`
		MaxExpires     time.Duration `key:"max_expires" live:"yes"`
		DefaultExpires time.Duration `key:"default_expires" live:"yes"`
		Full           string        `key:"full" live:"yes"`
	} `key:"registrar"`

	RTP struct {
		Ports   PortRange     `key:"ports"`
		Timeout time.Duration `key:"timeout"`
		Rest    time.Duration `key:"rest"`
		DSCP    int           `key:"dscp"`
	} `key:"rtp"`

	Calls struct {
		Grace          time.Duration `key:"grace" live:"yes"`
		Keep           time.Duration `key:"keep"`
		TimeZone       string        `key:"time_zone"`
		Language       string        `key:"language"`
		Tones          string        `key:"tones"`
		AsteriskSounds string        `key:"asterisk_sounds"`
	} `key:"calls"`

	Recordings struct {
		Keep    time.Duration `key:"keep"`
		MaxSize Size          `key:"max_size"`
		MinFree Size          `key:"min_free"`
	} `key:"recordings"`

	Mail struct {
		Server   string `key:"server"`
		TLS      string `key:"tls"`
		User     string `key:"user"`
		Password string `key:"password" secret:"yes"`
		From     string `key:"from"`
	} `key:"mail"`

	HTTP struct {
		Listen        []Listen `key:"listen"`
		Metrics       string   `key:"metrics"`
		TokenFailures int      `key:"token_failures"`
	} `key:"http"`
}

// Settings that have a name for a value.
const (
	fullReplace = "replace"
	fullRefuse  = "refuse"
	formatText  = "text"
	formatJSON  = "json"

	mailSTARTTLS = "starttls"
	mailTLS      = "tls"
	mailPlain    = "none"
)

func defaultConfig() Config {
	var c Config
	c.Data = "ringback-data"
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
		"fc00::/7", "fe80::/10", "::1/128"} {
		c.LocalNetworks = append(c.LocalNetworks, netip.MustParsePrefix(p))
	}
	c.Log.Level, c.Log.Format = "info", formatText

	c.SIP.Listen = []Listen{{Addr: netip.MustParseAddrPort("0.0.0.0:5060")}, {Addr: netip.MustParseAddrPort("[::]:5060")}}
	c.SIP.Readers = 0
	c.SIP.SourceRate, c.SIP.SourceBurst = 200, 400
	c.SIP.MaxConnections, c.SIP.MaxPerAddress = 4096, 128
	c.SIP.IdleTimeout = 2 * time.Hour
	c.SIP.MaxTransactions = 500_000
	c.SIP.SessionExpires, c.SIP.MinSessionExpires = 30*time.Minute, 90*time.Second
	c.SIP.Qualify = time.Minute

	c.Auth.Algorithms = []string{"MD5", "SHA-256"}
	c.Auth.NonceLifetime = 5 * time.Minute
	c.Auth.Failures, c.Auth.FailureWindow = 10, time.Minute

	c.Registrar.MinExpires, c.Registrar.MaxExpires, c.Registrar.DefaultExpires = time.Minute, time.Hour, time.Hour
	c.Registrar.Full = fullReplace

	c.RTP.Ports = PortRange{20000, 29999}
	c.RTP.Timeout, c.RTP.Rest, c.RTP.DSCP = time.Minute, 500*time.Millisecond, 46

	c.Calls.Grace, c.Calls.Language, c.Calls.Tones = 10*time.Second, "en", "us"

	c.Recordings.MinFree = 64_000_000
	c.Mail.TLS = mailSTARTTLS

	c.HTTP.Listen = []Listen{{Addr: netip.MustParseAddrPort("0.0.0.0:8080")}, {Addr: netip.MustParseAddrPort("[::]:8080")}}
	c.HTTP.Metrics, c.HTTP.TokenFailures = "token", 20
	return c
}

// readers is sip.readers with 0 resolved: one a CPU, four at most.
func (c *Config) readers() int {
	if c.SIP.Readers > 0 {
		return c.SIP.Readers
	}
	return min(runtime.GOMAXPROCS(0), 4)
}
