package pbx_test

import (
	"testing"
	"testing/synctest"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestMessages(t *testing.T) {
	with(t, nil, func(r *rig) {
		var got []pbx.Outcome
		reply := func(o pbx.Outcome) { got = append(got, o) }
		m := pbx.Message{From: pbx.Identity{Number: "1000"}, To: "1001", ContentType: "text/plain", Body: []byte("hello")}
		r.sb.Message(m, reply)
		r.Register("1001", pbxtest.Busy())
		r.Register("1001", pbxtest.Busy())
		r.sb.Message(m, reply)
		synctest.Wait()
		m.To = "404"
		r.sb.Message(m, reply)
		if len(got) != 3 || got[0].Status != 480 || got[1].Status != 200 || got[2].Status != 404 {
			t.Error(got)
		}
		if all := r.Messages(); len(all) != 2 || string(all[0].Body) != "hello" {
			t.Error(all)
		}
	})
}
