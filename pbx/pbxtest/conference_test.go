package pbxtest

import (
	"fmt"
	"strings"
	"testing"
)

const alone = `<?xml version="1.0" encoding="UTF-8"?>
<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:800@example.test" state="full" version="1">
 <conference-description><display-text>Team</display-text><maximum-user-count>10</maximum-user-count></conference-description>
 <conference-state><user-count>1</user-count><active>true</active><locked>false</locked></conference-state>
 <users>
  <user entity="sip:1000@example.test" state="full"><display-text>Alice</display-text>
   <endpoint entity="sip:1000@10.0.0.1"><status>connected</status><joining-method>dialed-in</joining-method>
    <media id="1"><type>audio</type><status>sendrecv</status></media></endpoint></user>
 </users>
</conference-info>`

func TestParseConference(t *testing.T) {
	c, err := ParseConference([]byte(alone))
	if err != nil {
		t.Fatal(err)
	}
	alice := c.Users["sip:1000@example.test"]
	if p := alice.Endpoints["sip:1000@10.0.0.1"]; c.Entity != "sip:800@example.test" || c.Version != 1 || c.UserCount != 1 || !c.Active || c.Locked ||
		c.MaxUsers != 10 || alice.DisplayText != "Alice" || p.Status != "connected" || p.JoiningMethod != "dialed-in" || p.Media["1"].Status != "sendrecv" {
		t.Errorf("%+v", c)
	}
	for _, change := range [][2]string{
		{"urn:ietf:params:xml:ns:conference-info", "urn:other"},
		{` entity="sip:800@example.test"`, ""},
		{`version="1"`, `version="one"`},
		{`version="1"`, ""},
		{"<user-count>1</user-count><active>true</active>", "<active>true</active><user-count>1</user-count>"},
		{"<user-count>1<", "<user-count>one<"},
		{"<active>true<", "<active>yes<"},
		{"<status>connected<", "<status>online<"},
		{"<status>sendrecv<", "<status>connected<"},
		{"dialed-in", "called"},
		{` id="1"`, ""},
		{`state="full"><display`, `state="half"><display`},
		{` entity="sip:1000@10.0.0.1"`, ""},
		{"<users>", "<participants/><users>"},
		{"</users>", ""},
	} {
		text := strings.Replace(alone, change[0], change[1], 1)
		if c, err := ParseConference([]byte(text)); err == nil || text == alone {
			t.Errorf("with %q in place of %q it is taken as %+v", change[1], change[0], c)
		}
	}
}

func TestConferenceFollowsDocuments(t *testing.T) {
	doc := func(state string, version int, users string) *Conference {
		t.Helper()
		c, err := ParseConference(fmt.Appendf(nil, `<conference-info xmlns="%s" entity="sip:800@example.test" state="%s" version="%d"><users>%s</users></conference-info>`,
			conferenceNamespace, state, version, users))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	user := func(n int, state string) string { return fmt.Sprintf(`<user entity="sip:%d@x" state="%s"/>`, n, state) }
	var now *Conference
	if _, err := now.with(doc("partial", 1, "")); err == nil {
		t.Error("a partial document is taken as the first")
	}
	for i, step := range []struct {
		doc  *Conference
		want int
	}{
		{doc("full", 4, user(1, "full")), 1},
		{doc("partial", 5, user(2, "full")+user(3, "full")), 3},
		{doc("partial", 6, user(1, "deleted")), 2},
		{doc("full", 7, user(9, "full")), 1},
	} {
		next, err := now.with(step.doc)
		if err != nil || len(next.Users) != step.want {
			t.Fatalf("%d: %+v, %v", i, next, err)
		}
		now = next
	}
	for _, bad := range []*Conference{doc("full", 7, ""), doc("full", 9, ""), doc("partial", 8, user(1, "deleted"))} {
		if c, err := now.with(bad); err == nil {
			t.Errorf("after %+v %+v is taken", now, c)
		}
	}
}
