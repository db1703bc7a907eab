package features

import (
	"context"
	"time"

	"ringback/pbx"
)

// defaultHours are those that the day/night code switches, unless the office names others.
const defaultHours = "office"

// dayNight switches opening hours to the opposite of what the clock says now. Hours that are switched it leaves to the clock again, so
// that nobody has to remember in the morning what he did in the evening. The caller hears "on" if it is open now, "off" if it is closed.
func dayNight(c *codeCall) pbx.Target {
	return c.act(func(ctx context.Context, _ string) (string, error) {
		name := c.route.Directory.Office().DayNight
		if name == "" {
			name = defaultHours
		}
		found := c.route.Directory.Hours(name)
		if found == nil {
			return "", errRefused
		}
		next, now := *found, time.Now()
		switch {
		case found.Mode != "":
			next.Mode = ""
		case c.route.open(found).Holds(now):
			next.Mode = "night"
		default:
			next.Mode = "day"
		}
		if c.route.Settings == nil {
			return "", errNoSettings
		}
		return onOff(c.route.open(&next).Holds(now)), c.route.Settings.SwitchHours(ctx, name, next.Mode, c.set())
	})
}
