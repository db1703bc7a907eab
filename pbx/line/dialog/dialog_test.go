package dialog

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

func parse(t *testing.T, text string) sip.Message {
	t.Helper()
	m, bad := wire.Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n")+"\r\n"), wire.Hop{Transport: "udp"})
	if bad != nil {
		t.Fatal(bad)
	}
	return m
}

func invite(t *testing.T, more string) *sip.Request {
	return parse(t, "INVITE sip:1001@pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\nMax-Forwards: 70\n"+
		"From: \"A \\\"b\\\"\" <sip:1000@pbx.test>;tag=a\nTo: <sip:1001@pbx.test>\nCall-ID: c1\nCSeq: 7 INVITE\nContact: <sip:1000@192.0.2.10:5062>\n"+more).(*sip.Request)
}

func response(t *testing.T, more string) *sip.Response {
	return parse(t, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:1000@pbx.test>;tag=us\n"+
		"To: <sip:1001@pbx.test>;tag=b\nCall-ID: c2\nCSeq: 1 INVITE\n"+more).(*sip.Response)
}

func caller(t *testing.T, more string) Dialog {
	target := sip.Uri{Scheme: "sip", User: "1001", Host: "192.0.2.20"}
	d := Caller("c2", "us", "<sip:1000@pbx.test>", "<sip:1001@pbx.test>", target, nil)
	d.Request(sip.INVITE)
	return d.Establish(response(t, more))
}

// head is a request's text without Max-Forwards and Content-Length, which are always the same.
func head(req *sip.Request) string {
	s := string(wire.Append(nil, req))
	s = strings.Replace(s, "Max-Forwards: 70\r\n", "", 1)
	s = strings.Replace(s, "Content-Length: 0\r\n\r\n", "", 1)
	return strings.ReplaceAll(s, "\r\n", "\n")
}

func TestRequestInDialog(t *testing.T) {
	const uasEnd = "From: <sip:1001@pbx.test>;tag=us\nTo: \"A \\\"b\\\"\" <sip:1000@pbx.test>;tag=a\nCall-ID: c1\nCSeq: 1 BYE\n"
	const uacEnd = "From: <sip:1000@pbx.test>;tag=us\nTo: <sip:1001@pbx.test>;tag=b\nCall-ID: c2\nCSeq: 2 BYE\n"
	uas := func(more string) Dialog { return UAS(invite(t, more), "us") }
	uac := func(more string) Dialog { return caller(t, more) }
	for _, tc := range []struct {
		name, headers string
		make          func(string) Dialog
		want          string
	}{
		{"called, no route", "", uas, "BYE sip:1000@192.0.2.10:5062 SIP/2.0\n" + uasEnd},
		{"called, loose routes in order", "Record-Route: <sip:p1.test;lr>\nRecord-Route: <sip:p2.test;lr>\n", uas,
			"BYE sip:1000@192.0.2.10:5062 SIP/2.0\nRoute: <sip:p1.test;lr>\nRoute: <sip:p2.test;lr>\n" + uasEnd},
		{"called, strict first route", "Record-Route: <sip:p1.test>, <sip:p2.test;lr>\n", uas,
			"BYE sip:p1.test SIP/2.0\nRoute: <sip:p2.test;lr>\nRoute: <sip:1000@192.0.2.10:5062>\n" + uasEnd},
		{"calling, Contact is the target", "Contact: <sip:1001@192.0.2.20:5070>\n", uac, "BYE sip:1001@192.0.2.20:5070 SIP/2.0\n" + uacEnd},
		{"calling, no Contact keeps the Request-URI", "", uac, "BYE sip:1001@192.0.2.20 SIP/2.0\n" + uacEnd},
		{"calling, loose routes reversed", "Record-Route: <sip:p1.test;lr>, <sip:p2.test;lr>\n", uac,
			"BYE sip:1001@192.0.2.20 SIP/2.0\nRoute: <sip:p2.test;lr>\nRoute: <sip:p1.test;lr>\n" + uacEnd},
		{"calling, strict first route", "Record-Route: <sip:p1.test;lr>\nRecord-Route: <sip:p2.test>\n", uac,
			"BYE sip:p2.test SIP/2.0\nRoute: <sip:p1.test;lr>\nRoute: <sip:1001@192.0.2.20>\n" + uacEnd},
		{"headers and method of a Contact stay out of the Request-URI", "Contact: <sip:1001@192.0.2.20;method=REGISTER;x=y?Route=%3Csip:evil%3E>\n", uac,
			"BYE sip:1001@192.0.2.20;x=y SIP/2.0\n" + uacEnd},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := tc.make(tc.headers)
			if got := head(d.Request(sip.BYE)); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestSequenceNumbers(t *testing.T) {
	d := UAS(invite(t, ""), "us")
	for _, step := range []struct {
		seq  uint32
		want bool
	}{{6, false}, {7, false}, {8, true}, {8, false}, {20, true}, {19, false}, {21, true}} {
		if got := d.Receive(step.seq); got != step.want {
			t.Errorf("%d in order: %v", step.seq, got)
		}
	}
	for want := uint32(1); want < 4; want++ {
		if got := d.Request(sip.INFO).CSeq().SeqNo; got != want {
			t.Errorf("own CSeq %d, want %d", got, want)
		}
	}
	if got := d.RequestSeq(sip.ACK, 2).CSeq(); got.SeqNo != 2 || got.MethodName != sip.ACK || d.LocalSeq != 3 {
		t.Errorf("ACK has %v, then %d", got, d.LocalSeq)
	}
	c := caller(t, "")
	if !c.Receive(5) || c.Receive(4) {
		t.Error("the calling end takes any first number, and only higher ones then")
	}
}

func TestMatching(t *testing.T) {
	d := UAS(invite(t, ""), "us")
	if want := (ID{"c1", "us", "a"}); d.ID() != want {
		t.Errorf("ID %v", d.ID())
	}
	request := func(from, to, id string) *sip.Request {
		return parse(t, "BYE sip:x@pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK2\nMax-Forwards: 70\nFrom: <sip:1000@pbx.test>"+from+
			"\nTo: <sip:1001@pbx.test>"+to+"\nCall-ID: "+id+"\nCSeq: 8 BYE\n").(*sip.Request)
	}
	for _, tc := range []struct {
		from, to, id string
		want         bool
	}{
		{";tag=a", ";tag=us", "c1", true},
		{";tag=A", ";tag=us", "c1", false},
		{";tag=a", ";tag=other", "c1", false},
		{";tag=a", "", "c1", false},
		{"", ";tag=us", "c1", false},
		{";tag=a", ";tag=us", "c2", false},
	} {
		if got := d.Matches(request(tc.from, tc.to, tc.id)); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestEachToTagIsADialogOfItsOwn(t *testing.T) {
	base := Caller("c2", "us", "<sip:1000@pbx.test>", "<sip:1001@pbx.test>", sip.Uri{Scheme: "sip", Host: "x"}, nil)
	base.Request(sip.INVITE)
	one := base.Establish(response(t, "Contact: <sip:one@192.0.2.20>\n"))
	two := base.Establish(response(t, "Contact: <sip:two@192.0.2.21>\n"))
	one.Request(sip.PRACK)
	if one.LocalSeq != 2 || two.LocalSeq != 1 || base.LocalSeq != 1 || base.RemoteTag != "" {
		t.Errorf("sequence numbers %d %d %d", one.LocalSeq, two.LocalSeq, base.LocalSeq)
	}
	if one.Target.User != "one" || two.Target.User != "two" {
		t.Errorf("targets %s %s", one.Target.String(), two.Target.String())
	}
}

func TestTargetRefreshLeavesTheRouteSet(t *testing.T) {
	d := UAS(invite(t, "Record-Route: <sip:p1.test;lr>\n"), "us")
	again := invite(t, "Record-Route: <sip:p9.test;lr>\n")
	again.Contact().Address.User = "moved"
	d.Refresh(again.Contact())
	if d.Target.User != "moved" || len(d.Routes) != 1 || d.Routes[0].Host != "p1.test" {
		t.Errorf("target %s, routes %v", d.Target.String(), d.Routes)
	}
	d.Refresh(nil)
	d.Refresh(&sip.ContactHeader{Address: sip.Uri{Wildcard: true, Host: "*"}})
	if d.Target.User != "moved" {
		t.Error("a message without Contact changed the target")
	}
	if d.NextHop().Host != "p1.test" {
		t.Errorf("next hop %s", d.NextHop().Host)
	}
}

func TestConfirmComputesTheRouteSetAnew(t *testing.T) {
	d := caller(t, "Record-Route: <sip:p1.test;lr>\n")
	d.Confirm(response(t, "Record-Route: <sip:p2.test;lr>\nContact: <sip:new@192.0.2.20>\n"))
	if len(d.Routes) != 1 || d.Routes[0].Host != "p2.test" || d.Target.User != "new" {
		t.Errorf("target %s, routes %v", d.Target.String(), d.Routes)
	}
}

func TestRouteSetIsBounded(t *testing.T) {
	d := UAS(invite(t, strings.Repeat("Record-Route: <sip:p.test;lr>\n", 40)), "us")
	if len(d.Routes) != maxRoutes {
		t.Errorf("%d routes", len(d.Routes))
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"plain ü": "plain ü", "a\r\nX: b\x00\x7f": "aX: b", "tab\tstays": "tab\tstays"} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	target := sip.Uri{Scheme: "sip", User: "1001", Host: "192.0.2.20", Port: 5060}
	d := Caller("c2", "us", "<sip:1000@pbx.test>", "<sip:1001@pbx.test>", target, nil)
	b.ReportAllocs()
	for b.Loop() {
		d.Request(sip.BYE)
	}
}
