package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func none(string) string { return "" }

// The example names every setting and says its default.
func TestExampleIsTheDefaults(t *testing.T) {
	l, err := load(sources{file: "../../config.example.toml", environ: none})
	if err != nil {
		t.Fatal(err)
	}
	want := defaultConfig()
	w := want.settings()
	for i, s := range l.settings() {
		if l.from[s.key] == "" {
			t.Errorf("config.example.toml says nothing of %s", s.key)
		}
		got, want := s.value, w[i].value
		if got.Kind() == reflect.Slice && got.Len() == 0 && want.Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%s: the example says %v, the default is %v", s.key, got, want)
		}
	}
	text, _ := os.ReadFile("../../config.example.toml")
	for _, s := range want.settings() {
		_, leaf, _ := strings.Cut("."+s.key, ".")
		leaf = leaf[strings.LastIndex(leaf, ".")+1:]
		_, after, _ := strings.Cut(string(text), "\n"+leaf+" = ")
		before := strings.TrimSuffix(string(text), "\n"+leaf+" = "+after)
		comment := before[strings.LastIndex(before, "\n\n")+1:]
		if live := strings.Contains(comment, "live\n") || strings.HasSuffix(comment, "live"); live != s.live {
			t.Errorf("%s: the example says live=%v, the code %v", s.key, live, s.live)
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "data = 'file'\nrealm = 'file'\n[sip]\nlisten = ['127.0.0.1:1']\n[calls]\ngrace = '1s'\n")
	env := func(k string) string {
		return map[string]string{"RINGBACK_REALM": "environment", "RINGBACK_SIP_LISTEN": "127.0.0.1:2, udp://[::1]:2",
			"RINGBACK_RTP_PORTS": "30000-30100"}[k]
	}
	l, err := load(sources{file: file, environ: env, flags: map[string]string{"sip.listen": ":3", "rtp.ports": "40000-40100"}})
	if err != nil {
		t.Fatal(err)
	}
	if l.Data != "file" || l.Realm != "environment" || l.Calls.Grace != time.Second || l.RTP.Ports != (PortRange{40000, 40100}) {
		t.Errorf("got %+v", l.Config)
	}
	if len(l.SIP.Listen) != 2 || l.SIP.Listen[0].String() != "0.0.0.0:3" || l.SIP.Listen[1].String() != "[::]:3" {
		t.Errorf("sip.listen is %v", l.SIP.Listen)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct{ toml, want string }{
		{"\nnonsense = 1\n", `line 2: there is no setting nonsense`},
		{"[sip]\nlisen = ['127.0.0.1:5060']\n", `line 2: there is no setting sip.lisen; did you mean sip.listen?`},
		{"level = 'debug'\n", `line 1: there is no setting level; did you mean log.level?`},
		{"[spi]\nlisten = ['127.0.0.1:5060']\n", `line 1: there is no section spi`},
		{"sip = 5\n", `line 1: sip is a section, not a setting`},
		{"[[sip]]\nreaders = 1\n", `line 1: sip is a section, not a setting`},
		{"[data]\n", `line 1: data must be a text such as "…"`},
		{"sip = { readers = 99 }\n", `line 1: sip.readers must be between 0 and 64, not 99`},
		{"sip = { lisen = 1 }\n", `line 1: there is no setting sip.lisen; did you mean sip.listen?`},
		{"[recordings]\nmax_size = '20 parsecs'\n", `line 2: recordings.max_size must be a size with its unit, such as "500MB" or "20GB"`},
		{"[recordings]\nmax_size = '-1GB'\n", `line 2: recordings.max_size must be a size with its unit, such as "500MB" or "20GB"`},
		{"[recordings]\nmin_free = '0'\n", `line 2: recordings.min_free must be "1MB" or more: the database needs some of the disk, too`},
		{"[mail]\nserver = 'smtp.example.com'\n", `line 2: mail.server must be a host with a port, such as smtp.example.com:587, not "smtp.example.com"`},
		{"[mail]\nserver = 'smtp.example.com:587'\n", `mail.from must be an e-mail address such as pbx@example.com, not ""`},
		{"[mail]\nuser = 'x'\n", `mail.password and mail.user belong together: one of them is missing`},
		{"[sip]\nreaders = 'x'\n", `line 2: sip.readers must be a whole number`},
		{"[sip]\nreaders = 1.5\n", `line 2: sip.readers must be a whole number`},
		{"[sip]\nlisten = 5060\n", `line 2: sip.listen must be a list of texts such as ["…"]`},
		{"[sip]\nlisten = [5060]\n", `line 2: sip.listen must be a list of texts such as ["…"]`},
		{"[sip]\nlisten = ['localhost']\n", `line 2: sip.listen "localhost" must be an address with a port`},
		{"[sip]\nlisten = ['tls://127.0.0.1:5061']\n", `line 2: sip.listen "tls://127.0.0.1:5061" must begin with udp:// or tcp://`},
		{"[sip]\nlisten = []\n", `line 2: sip.listen must have an address, or sip.tls_listen must`},
		{"[sip]\n\ntls_listen = ['127.0.0.1:5061']\n", `default: sip.tls_certificate is missing`},
		{"[sip]\ntls_certificate = 'a.pem'\n", `sip.tls_key and sip.tls_certificate belong together`},
		{"[sip]\nqualify = '1s'\n", `line 2: sip.qualify must be "0s" (never) or between 5s and 24h0m0s`},
		{"[sip]\nqualify = 60\n", `line 2: sip.qualify must be a time with its unit`},
		{"[registrar]\nmin_expires = '2h'\n", `line 2: registrar.min_expires must be between 1s and 1h0m0s, not 2h0m0s`},
		{"[registrar]\nfull = 'drop'\n", `line 2: registrar.full must be one of replace, refuse, not "drop"`},
		{"[auth]\nalgorithms = ['MD5', 'MD5']\n", `line 2: auth.algorithms must list`},
		{"[rtp]\nports = '20000'\n", `line 2: rtp.ports "20000" must be a range of ports`},
		{"[rtp]\nports = '30000-20000'\n", `line 2: rtp.ports must be four ports or more`},
		{"external_address = ['192.0.2.1', '192.0.2.2']\n", `line 1: external_address must have at most one IPv4`},
		{"external_address = 'pbx.example.com'\n", `line 1: external_address "pbx.example.com" must be an IP address`},
		{"local_networks = ['10.0.0.1']\n", `line 1: local_networks "10.0.0.1" must be a network`},
		{"[log]\nlevel = 'loud'\n", `line 2: log.level must be one of debug, info, warn, error, not "loud"`},
		{"[http]\nmetrics = 'all'\n", `line 2: http.metrics must be one of token, loopback, open`},
		{"data = 'a'\ndata = 'b'\n", `line 2: `},
		{"data = \n", `line 1: `},
	} {
		file := write(t, c.toml)
		_, err := load(sources{file: file, environ: none})
		if err == nil {
			t.Errorf("%q: no error", c.toml)
			continue
		}
		got := strings.ReplaceAll(err.Error(), file+", ", "")
		if !strings.Contains(got, c.want) {
			t.Errorf("%q:\n got %s\nwant %s", c.toml, got, c.want)
		}
		if strings.Contains(got, "\n") {
			t.Errorf("%q: more than a sentence: %q", c.toml, got)
		}
	}
}

func TestConfigErrorsElsewhere(t *testing.T) {
	env := func(k string) string { return map[string]string{"RINGBACK_LOG_LEVEL": "loud"}[k] }
	_, err := load(sources{environ: env})
	if want := `RINGBACK_LOG_LEVEL: log.level must be one of debug, info, warn, error, not "loud"`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, err = load(sources{environ: none, flags: map[string]string{"rtp.ports": "x"}})
	if want := `--rtp-ports: rtp.ports "x" must be a range of ports such as 20000-29999`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err = load(sources{file: "/nonexistent/config.toml", environ: none}); err == nil {
		t.Error("a file that is named must exist")
	}
}

func TestChanged(t *testing.T) {
	a, b := defaultConfig(), defaultConfig()
	b.Log.Level, b.RTP.Rest = "debug", time.Second
	live, restart := changed(&a, &b)
	if !reflect.DeepEqual(live, []string{"log.level"}) || !reflect.DeepEqual(restart, []string{"rtp.rest"}) {
		t.Errorf("live %v, restart %v", live, restart)
	}
}

func TestMisspelt(t *testing.T) {
	got := misspelt([]string{"HOME=/", "RINGBACK_SIP_LISTEN=x", "RINGBACK_SIP_LISEN=x", "RINGBACK_API_TOKEN=x", "RINGBACK_CONFIG=x"})
	if !reflect.DeepEqual(got, []string{"RINGBACK_SIP_LISEN"}) {
		t.Errorf("got %v", got)
	}
}

// FuzzConfig: whatever a file says, there is an answer and no crash.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("[sip]\nlisten = ['127.0.0.1:5060']\n"))
	f.Add([]byte("sip = { listen = [] }\na.b.c = 1\n[[x]]\ny = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &loaded{Config: defaultConfig(), from: map[string]string{}}
		if err := l.parseFile("f", text); err == nil {
			l.check()
		}
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Where there is a certificate, TLS is listened for without more being said, and not on more addresses than SIP is.
func TestTLSListensByDefault(t *testing.T) {
	certificate := "\ntls_certificate = 'a.pem'\ntls_key = 'a.key'\n"
	for _, c := range []struct{ file, want string }{
		{"[sip]\n", "[]"},
		{"[sip]\ntls_self_signed = true\n", "[0.0.0.0:5061 [::]:5061]"},
		{"[sip]" + certificate, "[0.0.0.0:5061 [::]:5061]"},
		{"[sip]\nlisten = ['udp://127.0.0.1:5560', 'tcp://127.0.0.1:5562']" + certificate, "[127.0.0.1:5061]"},
		{"[sip]\ntls_listen = ['127.0.0.1:5999']" + certificate, "[127.0.0.1:5999]"},
	} {
		l, err := load(sources{file: write(t, c.file), environ: none})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(l.SIP.TLSListen); got != c.want {
			t.Errorf("%q: %s, want %s", c.file, got, c.want)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]string{"0": "0", "500MB": "500MB", "1500 MB": "1500MB", "20GB": "20GB", "2000GB": "2TB", "12": "12", "3kB": "3kB"} {
		if n, err := parseSize(text); err != nil || n.String() != want {
			t.Errorf("%q is %v, %v; want %s", text, n, err, want)
		}
	}
	for _, text := range []string{"", "GB", "1.5GB", "10GiB", "99999999999TB", "0x10", "1e3"} {
		if n, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %v", text, n)
		}
	}
}
