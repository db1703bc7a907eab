package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPhonesAreQualifiedByOPTIONS(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		s.bind(b)
		s.line.Start()
		time.Sleep(990 * time.Millisecond)
		m := b.expect("OPTIONS sip:1001@192.0.2.20:5060")
		b.respond(m, "405 Whatever", "b", "") // any final response will do
		synctest.Wait()
		if m := s.reg.marked(); len(m) != 1 || !strings.HasSuffix(m[0], "true") {
			t.Errorf("marks %v", m)
		}
		time.Sleep(93 * time.Second) // the next one is not answered
		synctest.Wait()
		if m := s.reg.marked(); len(m) != 2 || !strings.HasSuffix(m[1], "false") {
			t.Errorf("marks %v", m)
		}
		s.line.stopQualify()
	}, func(o *Options) { o.Qualify = time.Minute })
}
