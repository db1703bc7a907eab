package features

import (
	"context"

	"ringback/pbx"
)

// room is where calls to a conference room go: screened by the office, and asked for the PIN where there is one. Where only moderators
// have a PIN, # alone lets everybody else in.
func (r *route) room(room *pbx.Room) pbx.Target {
	return r.screenedByOffice(func(r *route) pbx.Target {
		r.left.Add(-1)
		name := "conference " + room.Number
		var admit func(context.Context, *pbx.Talk) (moderator, ok bool)
		if room.PINHash != "" || room.ModeratorPINHash != "" {
			name += ", asks for the PIN"
			admit = func(ctx context.Context, t *pbx.Talk) (moderator, ok bool) { return r.askRoomPIN(ctx, t, room) }
		}
		return r.because("conference room "+room.Name, room.Set, pbx.Conference(name, room, r.from.Hidden, admit))
	})
}

func (r *route) askRoomPIN(ctx context.Context, t *pbx.Talk, room *pbx.Room) (moderator, ok bool) {
	for range pinAttempts {
		pin, there := t.Keys(ctx, "conf-enter-pin", pinDigits, pinWait)
		if !there {
			return false, false
		}
		if pin == "" && room.PINHash == "" {
			return false, true
		}
		if r.Settings != nil {
			if ok, moderator := r.Settings.CheckRoomPIN(ctx, room.Number, pin); ok {
				return moderator, true
			}
		}
		t.Play(ctx, promptError)
	}
	t.Play(ctx, "not-allowed")
	return false, false
}
