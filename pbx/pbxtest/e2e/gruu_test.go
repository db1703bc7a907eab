package e2e

import (
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// gruu is a parameter (pub-gruu, temp-gruu) of the phone's own contact in the 200 to its REGISTER.
func gruu(m *pbxtest.Message, instance, name string) string {
	for _, c := range m.All("Contact") {
		if _, rest, ok := strings.Cut(c, name+`="`); ok && strings.Contains(c, instance) {
			uri, _, _ := strings.Cut(rest, `"`)
			return uri
		}
	}
	return ""
}

// RFC 5627: of two phones of an extension, the one whose GRUU is called rings.
func TestCallOfAGRUU(t *testing.T) {
	play(t, func(s *scene) {
		const instance = "urn:uuid:00000000-0000-1000-8000-00a0c91e6bf6"
		number := s.extension()
		desk := s.another(number, func(c *pbxtest.Config) { c.Instance = instance })
		m, err := desk.Register(s.ctx, 300, pbxtest.With("Supported", "gruu"))
		s.must(err)
		other := s.registered(number)
		caller := s.phone()
		for _, name := range []string{"pub-gruu", "temp-gruu"} {
			uri := gruu(m, instance, name)
			if uri == "" {
				s.Fatalf("no %s in %q", name, m.All("Contact"))
			}
			l, err := caller.Call(s.ctx, uri)
			s.must(err)
			leg, err := desk.Incoming(s.ctx)
			s.must(err)
			leg.Ring()
			s.answer(l, leg)
			s.talk(l, leg)
			s.must(other.ExpectNone(s.ctx, 300*time.Millisecond, "INVITE"))
			s.over(l, leg)
		}
	})
}
