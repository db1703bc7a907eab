package digest

import (
	"strings"
	"testing"
)

func TestParseCredentials(t *testing.T) {
	c, err := parseCredentials(` username = "a \"b\", c" ,realm=x, NONCE="n",uri="sip:a;b=c,d", response=ff,,nc=0000000A , x="y"`)
	want := credentials{username: `a \"b\", c`, realm: "x", nonce: "n", uri: "sip:a;b=c,d", response: "ff", nc: "0000000A"}
	if err != nil || c != want || c.count() != 10 {
		t.Errorf("%v %+v", err, c)
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add(`username="1000", realm="pbx", nonce="n", uri="sip:x", response="00", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`)
	f.Add(`username="\`)
	f.Add(`a=,b="",,=`)
	f.Add("nc=FFFFFFFF,\tqop = \"auth\"")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCredentials(s)
		if err != nil {
			return
		}
		quote := func(v string) string { return `"` + v + `"` }
		var out []string
		for name, v := range map[string]string{"username": c.username, "realm": c.realm, "nonce": c.nonce, "uri": c.uri,
			"response": c.response, "algorithm": c.algorithm, "cnonce": c.cnonce, "nc": c.nc, "qop": c.qop} {
			if len(v) > maxValue {
				t.Fatalf("%s has %d bytes", name, len(v))
			}
			if !strings.Contains(s, v) {
				t.Fatalf("%s %q is not in the header", name, v)
			}
			if v != "" && !strings.HasSuffix(v, `\`) {
				out = append(out, name+"="+quote(v))
			}
		}
		again, err := parseCredentials(strings.Join(out, ", "))
		if err == nil && again.username != c.username && !strings.HasSuffix(c.username, `\`) {
			t.Fatalf("%+v became %+v", c, again)
		}
		c.count()
	})
}

func FuzzCheck(f *testing.F) {
	f.Add(`Digest username="1000", realm="pbx.example", nonce="n", uri="sip:x", response="00", qop=auth, nc=1, cnonce="c"`)
	f.Add("Digest")
	f.Add("")
	f.Fuzz(func(t *testing.T, v string) {
		if strings.ContainsAny(v, "\r\n\x00") || len(v) > 4000 {
			return
		}
		a := fuzzed(t)
		req := request(t, "REGISTER", "sip:pbx.example")
		req.AppendHeader(header(v))
		if r := a.Check(req, home); r.OK {
			t.Fatalf("%q is let in", v)
		}
	})
}
