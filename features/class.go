package features

import (
	"context"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

const (
	pinAttempts = 3
	pinDigits   = 16
	pinWait     = 10 * time.Second // for the next digit
)

// ClassOfService refuses calls that are dearer than the subscriber's class allows. Who has a PIN may make them by it, unless the call is
// sent on for him: its caller is somebody else.
func ClassOfService(r *route, by *pbx.Extension, number string, inside plan) pbx.Target {
	if r.mayCall(by, number) {
		return inside(r)
	}
	why := r.class(number) + " calls are beyond the class of " + by.Number + ", " + by.Services.Class
	if by.Services.PINHash == "" || len(r.via) > 0 || r.Settings == nil {
		return pbx.Because(why, pbx.Refuse(notAllowed))
	}
	allowed := inside(r)
	return pbx.Because(why, pbx.Service("ask for the PIN of "+by.Number, func(ctx context.Context, t *pbx.Talk) pbx.Target {
		for range pinAttempts {
			pin, ok := t.Keys(ctx, "enter-pin", pinDigits, pinWait)
			if !ok {
				return nil
			}
			if r.Settings.CheckPIN(ctx, by.Number, pin) {
				return allowed
			}
			t.Play(ctx, "error")
		}
		t.Play(ctx, "not-allowed")
		return nil
	}, allowed))
}

var notAllowed = pbx.Outcome{Kind: pbx.Screened, By: pbx.System, Status: 403, Announced: "not-allowed"}

// mayCall reports whether the class of an extension allows calls to a number.
func (r *route) mayCall(ext *pbx.Extension, number string) bool {
	limit := ext.Services.Class
	if limit == "" {
		return true
	}
	cost := slices.Index(pbx.Classes, r.class(number))
	return cost >= 0 && cost <= slices.Index(pbx.Classes, limit) // what is no class is allowed to nobody, and allows nothing
}

// class is what calls to a number cost.
func (r *route) class(number string) string {
	if r.Directory.Owner(number) != nil || r.Directory.Group(number) != nil || r.Directory.Room(number) != nil || r.Directory.Menu(number) != nil ||
		r.target(number) != nil {
		return "internal"
	}
	class, longest := "local", -1
	for _, c := range r.Directory.Office().Classes {
		if len(c.Prefix) > longest && strings.HasPrefix(number, c.Prefix) {
			class, longest = c.Class, len(c.Prefix)
		}
	}
	return class
}
