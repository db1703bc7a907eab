package features

import (
	"fmt"
	"strings"
	"testing"

	"ringback/pbx"
)

// planned are the plans of every code in every profile: with an argument, and without where it takes one.
var planned = map[string]string{
	"ringback": `
*721002: service: forward always on, to 1002
*72: service: forward always on, asks for the number
*73: service: forward always off
*901002: service: forward busy on, to 1002
*90: service: forward busy on, asks for the number
*91: service: forward busy off
*521002: service: forward no answer on, to 1002
*52: service: forward no answer on, asks for the number
*53: service: forward no answer off
*78: service: do not disturb on
*79: service: do not disturb off
*70: service: call waiting on
*71: service: call waiting off
*21: service: find me toggle
*28: service: day night
*301002: service: block, 1002
*30: service: block, asks for the number
*311002: service: unblock, 1002
*31: service: unblock, asks for the number
*32: service: block last caller
*671002: ring 1002 for 30s [hide number once]
*67: service: hide number once, asks for the number
*69: ring 1002 for 30s [return call]
*870: ring 1001 for 30s [redial]
*05: ring 1002 for 30s [speed dial 5]
*0: service: speed dial, asks for the speed dial
*97: service: my mailbox
*981002: service: any mailbox, 1002
*98: service: any mailbox, asks for the number
*991002: voicemail 1002 [leave message; mailbox Two]
*99: service: leave message, asks for the number
*43: echo test
*65: service: my number
*60: service: clock`,
	"fusionpbx": `
*721002: service: forward always on, to 1002
*72: service: forward always on, asks for the number
*73: service: forward always off
*74: service: forward always toggle
*78: service: do not disturb on
*79: service: do not disturb off
*77: service: do not disturb toggle
*21: service: find me toggle
*671002: ring 1002 for 30s [hide number once]
*67: service: hide number once, asks for the number
*69: ring 1002 for 30s [return call]
*870: ring 1001 for 30s [redial]
*05: ring 1002 for 30s [speed dial 5]
*0: service: speed dial, asks for the speed dial
*97: service: my mailbox
*981002: service: any mailbox, 1002
*98: service: any mailbox, asks for the number
*991002: voicemail 1002 [leave message; mailbox Two]
*99: service: leave message, asks for the number
*9196: echo test`,
	"mikopbx": `
*001: service: my mailbox
10003246: echo test
000063: service: my number`,
}

// codeOfficeOf is an office in which every code has something to do, with codes.
func codeOfficeOf(codes pbx.FeatureCodes) *Router {
	o := newCodeOffice()
	o.now.office.Codes = codes
	o.now.extensions["1000"].Services.SpeedDials = map[string]string{"5": "1002", "6": "1999", "7": "*78"}
	o.now.mailboxes = map[string]*pbx.Mailbox{"1002": {Number: "1002", Name: "Two", Enabled: true}, "1003": {Number: "1003"}}
	r := &Router{Directory: o, Settings: o, Recent: pbx.NewRecent(), Messages: newMemory()}
	r.Recent.Called("1000", pbx.Identity{Number: "1002"})
	r.Recent.Dialled("1000", "1001")
	return r
}

func TestCodePlans(t *testing.T) {
	if len(planned) != len(profiles) {
		t.Errorf("%d profiles, of which %d are tested", len(profiles), len(planned))
	}
	for profile, want := range planned {
		r := codeOfficeOf(pbx.FeatureCodes{Profile: profile})
		var b strings.Builder
		for _, c := range Codes(r.Directory.Office()) {
			argument := map[Argument]string{ANumber: "1002", ASpeedDial: "5"}[c.Argument]
			for _, a := range []string{argument, ""} {
				fmt.Fprintf(&b, "\n%s%s: %s", c.Code, a, strings.TrimSuffix(pbx.Text(r.Plan(pbx.Identity{Number: "1000"}, c.Code+a, morning)), "\n"))
				if argument == "" {
					break
				}
			}
		}
		if b.String() != want {
			t.Errorf("profile %s:%s\nwant:%s", profile, b.String(), want)
		}
	}
}

// TestCodePlansElse are codes where there is nothing to call, or where the caller may not.
func TestCodePlansElse(t *testing.T) {
	for name, c := range map[string]struct {
		with func(*codeOffice, *Router)
		dial string
		want string
	}{
		"redial of nothing":    {func(_ *codeOffice, r *Router) { r.Recent = nil }, "*870", "service: redial [nobody has noted it]\n"},
		"nobody was called":    {func(_ *codeOffice, r *Router) { r.Recent = pbx.NewRecent() }, "*870", "service: redial [1000 has called nobody yet]\n"},
		"nobody has called":    {func(_ *codeOffice, r *Router) { r.Recent = pbx.NewRecent() }, "*69", "service: return call [nobody has called 1000 yet]\n"},
		"a hidden caller":      {func(_ *codeOffice, r *Router) { r.Recent.Called("1000", pbx.Identity{Number: "1002", Hidden: true}) }, "*69", "service: return call [the last caller hides his number]\n"},
		"an unknown caller":    {func(_ *codeOffice, r *Router) { r.Recent.Called("1000", pbx.Identity{}) }, "*69", "service: return call [the last caller has no number]\n"},
		"no such speed dial":   {nil, "*04", "service: speed dial 4 [1000 has no such speed dial]\n"},
		"speed dial to nobody": {nil, "*06", "refuse: failed 404 (system) [speed dial 6; nobody has the number 1999]\n"},
		"speed dial to a code": {nil, "*07", "service: do not disturb on [speed dial 7]\n"},
		"speed dial to itself": {func(o *codeOffice, _ *Router) { o.now.extensions["1000"].Services.SpeedDials["7"] = "*07" }, "*07",
			"refuse: failed 404 (system) [speed dial 7; *07 is a feature code, which only an extension that dials it reaches]\n"},
		"a hidden call to nobody": {nil, "*671999", "refuse: failed 404 (system) [hide number once; nobody has the number 1999]\n"},
		"codes end codes":         {nil, "*67*78", "refuse: failed 404 (system) [nobody has the number *67*78]\n"},
		"a mailbox by a further number": {func(o *codeOffice, _ *Router) {
			o.now.extensions["1001"].Numbers = []string{"2001"}
			o.now.extensions["1001"].Services.Voicemail.Box = "1002"
		}, "*992001", "voicemail 1002 [leave message; mailbox Two]\n"},
		"no mailbox":               {nil, "*991001", "service: leave message, 1001 [there is no mailbox 1001]\n"},
		"a disabled mailbox":       {nil, "*991003", "service: leave message, 1003 [there is no mailbox 1003]\n"},
		"nowhere to keep messages": {func(_ *codeOffice, r *Router) { r.Messages = nil }, "*991002", "service: leave message, 1002 [there is no mailbox 1002]\n"},
		"screening holds": {func(o *codeOffice, _ *Router) {
			o.now.extensions["1000"].Services.Outgoing = []pbx.Rule{{Name: "not there", Numbers: []string{"1002"}, Action: pbx.Reject}}
		}, "*671002", "refuse: screened 403 (system) [hide number once; rule not there of 1000]\n"},
		"the class holds": {func(o *codeOffice, _ *Router) {
			o.now.extensions["1000"].Services.Class = "internal"
			o.now.extensions["1000"].Services.SpeedDials["5"] = "0301234"
		}, "*05", "refuse: screened 403 (system) [speed dial 5; local calls are beyond the class of 1000, internal]\n"},
		"the called one's features hold": {func(o *codeOffice, _ *Router) { o.now.extensions["1002"].Services.DoNotDisturb.On = true }, "*69",
			"refuse: busy 486 (system) [return call; do not disturb]\n"},
		"anonymous rejected": {func(o *codeOffice, _ *Router) {
			o.now.extensions["1002"].Services.Incoming = []pbx.Rule{{Name: "no strangers", Anonymous: true, Action: pbx.Reject}}
		}, "*671002", "refuse: screened 433 (system) [hide number once; rule no strangers of 1002]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := codeOfficeOf(pbx.FeatureCodes{})
			if c.with != nil {
				c.with(r.Directory.(*codeOffice), r)
			}
			if got := pbx.Text(r.Plan(pbx.Identity{Number: "1000"}, c.dial, morning)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
