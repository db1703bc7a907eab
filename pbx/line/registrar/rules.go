package registrar

import (
	"fmt"
	"time"
)

// Rules are the options that may change while a Registrar works; see Options of the same names.
type Rules struct {
	Min, Max, Default time.Duration
	RefuseFull        bool
}

// SetRules makes r go by these rules from the next REGISTER on; what was granted stays. It fails, and changes nothing,
// if the times make no sense.
func (r *Registrar) SetRules(u Rules) error {
	if u.Min <= 0 {
		u.Min = time.Minute
	}
	if u.Max <= 0 {
		u.Max = max(time.Hour, u.Min)
	}
	if u.Default <= 0 {
		u.Default = max(min(time.Hour, u.Max), u.Min)
	}
	if u.Min < time.Second || u.Min > u.Max || u.Default < u.Min || u.Default > u.Max {
		return fmt.Errorf("registrar: registration times %v, %v, %v are not in the order min, default, max", u.Min, u.Default, u.Max)
	}
	r.rules.Store(&u)
	return nil
}
