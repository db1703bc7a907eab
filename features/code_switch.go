package features

import (
	"context"

	"ringback/pbx"
)

// setting is something that a subscriber switches on and off: it is, and it becomes. become fails with errRefused where there is
// nothing to switch.
type setting struct {
	is     func(*pbx.Services) bool
	become func(*pbx.Services, bool, pbx.Set) error
}

var dndSetting = setting{
	is: func(s *pbx.Services) bool { return s.DoNotDisturb.On },
	become: func(s *pbx.Services, on bool, by pbx.Set) error {
		s.DoNotDisturb = pbx.Switch{On: on, Set: by}
		return nil
	},
}

var callWaitingSetting = setting{
	is: func(s *pbx.Services) bool { return !s.OneCall.On },
	become: func(s *pbx.Services, on bool, by pbx.Set) error {
		s.OneCall = pbx.Switch{On: !on, Set: by}
		return nil
	},
}

var findMeSetting = setting{
	is: func(s *pbx.Services) bool { return s.FindMe.On },
	become: func(s *pbx.Services, on bool, by pbx.Set) error {
		if len(s.FindMe.Steps) == 0 {
			return errRefused
		}
		s.FindMe.On, s.FindMe.Set = on, by
		return nil
	},
}

func switchTo(what setting, on bool) func(*codeCall) pbx.Target {
	return switching(what, func(bool) bool { return on })
}

func toggle(what setting) func(*codeCall) pbx.Target {
	return switching(what, func(on bool) bool { return !on })
}

// switching says to the caller what is now the case.
func switching(what setting, next func(bool) bool) func(*codeCall) pbx.Target {
	return func(c *codeCall) pbx.Target {
		return c.act(func(ctx context.Context, _ string) (string, error) {
			var on bool
			err := c.change(ctx, func(s *pbx.Services) error {
				on = next(what.is(s))
				return what.become(s, on, c.set())
			})
			return onOff(on), err
		})
	}
}

func onOff(on bool) string {
	if on {
		return promptOn
	}
	return promptOff
}
