package pbxtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

type journal struct{ ended []pbx.CDR }

func (j *journal) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (j *journal) Answered(pbx.CDR) error                               { return nil }
func (j *journal) Ended(c pbx.CDR)                                      { j.ended = append(j.ended, c) }

// exchange runs f with a switchboard that rings the extension dialled for 20 s.
func exchange(t *testing.T, f func(*pbxtest.Line, *journal)) {
	synctest.Test(t, func(t *testing.T) {
		line, j := pbxtest.NewLine(), &journal{}
		sb := pbx.New(pbx.Options{Line: line, Journal: j, Route: func(c *pbx.Call) pbx.Target {
			return pbx.Ring(c.Dialled, 20*time.Second)
		}})
		line.Exchange = sb
		f(line, j)
		synctest.Wait()
		sb.Close()
		if left := line.Left(); len(left) > 0 {
			t.Errorf("left over: %q", left)
		}
	})
}

func TestScriptedCall(t *testing.T) {
	exchange(t, func(line *pbxtest.Line, j *journal) {
		bob := line.Register("1001", pbxtest.Answer(2*time.Second))
		alice := line.Call("1000", "1001")
		if _, err := alice.Await("180", time.Second); err != nil {
			t.Error(err)
		}
		if _, err := alice.Await("200 PCMU", 3*time.Second); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if got := alice.Hears() + " " + bob.Last().Hears(); got != "1001 1000" {
			t.Errorf("they hear %q", got)
		}
		bob.Last().Bye()
		if _, err := alice.Await("hangup", time.Second); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(j.ended) != 1 || j.ended[0].EndedBy != "callee" {
			t.Error(j.ended)
		}
		if alice.Hears() != "" {
			t.Error("sound after the end")
		}
	})
}

func TestScriptedFork(t *testing.T) {
	exchange(t, func(line *pbxtest.Line, _ *journal) {
		a := line.Register("1001", pbxtest.Answer(2*time.Second))
		b := line.Register("1001", pbxtest.RingForever())
		c := line.Register("1001", pbxtest.AnswerLate())
		d := line.Register("1001", pbxtest.Busy())
		alice := line.Call("1000", "1001")
		if _, err := alice.Await("200", 3*time.Second); err != nil {
			t.Error(err)
		}
		for _, h := range []*pbxtest.Handset{b, c} {
			if o, over := h.Last().Ended(); !over || o.Kind != pbx.Cancelled {
				t.Error(o, over)
			}
		}
		if o, over := d.Last().Ended(); !over || o.Kind != pbx.Busy {
			t.Error(o, over)
		}
		if !a.Last().Answered() {
			t.Error("the first was not taken")
		}
		alice.Bye()
	})
}

func TestScriptedEndings(t *testing.T) {
	for name, c := range map[string]struct {
		script pbxtest.Script
		told   string
	}{
		"busy":      {pbxtest.Busy(), "refuse 486"},
		"declined":  {pbxtest.Reject(603, time.Second), "refuse 603"},
		"no answer": {pbxtest.RingForever(), "refuse 480"},
		"vanished":  {pbxtest.Vanish(), "refuse 480"},
		"no codec":  {pbxtest.Answer(0), "refuse 488"},
	} {
		t.Run(name, func(t *testing.T) {
			exchange(t, func(line *pbxtest.Line, _ *journal) {
				h := line.Register("1001", c.script)
				if name == "no codec" {
					h.Codecs = []media.Codec{{Name: "G729", ClockRate: 8000}}
				}
				if _, err := line.Call("1000", "1001").Await(c.told, time.Minute); err != nil {
					t.Error(err)
				}
			})
		})
	}
	exchange(t, func(line *pbxtest.Line, _ *journal) {
		bob := line.Register("1001", pbxtest.RingForever())
		alice := line.Call("1000", "1001")
		if _, err := alice.Await("180", time.Second); err != nil {
			t.Error(err)
		}
		alice.Cancel()
		if _, err := bob.Last().Await("cancel", time.Second); err != nil {
			t.Error(err)
		}
	})
}
