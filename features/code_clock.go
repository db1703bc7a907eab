package features

import (
	"context"
	"time"

	"ringback/pbx"
)

// clock says what time it is where the PBX is.
func clock(c *codeCall) pbx.Target {
	return c.act(func(context.Context, string) (string, error) {
		return promptClock + time.Now().In(c.route.zone("")).Format("15:04"), nil
	})
}
