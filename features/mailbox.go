package features

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"ringback/pbx"
)

// visit lets the caller hear the messages of a mailbox. known says that it is certain who calls: then its own extension need not say
// the PIN where there is none, or where it is spared that.
func (r *route) visit(ctx context.Context, t *pbx.Talk, box *pbx.Mailbox, known bool) pbx.Target {
	own := known && r.from.Number == box.Number
	switch {
	case own && (box.PINHash == "" || box.SkipPIN):
	case box.PINHash == "":
		return confirm(ctx, t, "not-allowed")
	case !r.askMailboxPIN(ctx, t, box):
		return nil
	}
	v := &visitor{route: r, t: t, box: box, deleted: make(map[string]bool)}
	defer v.removeDeleted(ctx)
	return v.choose(ctx)
}

func (r *route) askMailboxPIN(ctx context.Context, t *pbx.Talk, box *pbx.Mailbox) bool {
	for range pinAttempts {
		pin, there := t.Keys(ctx, "enter-pin", pinDigits, pinWait)
		if !there {
			return false
		}
		if r.Settings != nil && r.Settings.CheckMailboxPIN(ctx, box.Number, pin) {
			return true
		}
		if !t.Play(ctx, "wrong-pin") {
			return false
		}
	}
	t.Play(ctx, "too-many-attempts,"+promptGoodbye)
	return false
}

// visitor is somebody who may hear the messages of a mailbox.
type visitor struct {
	*route
	t       *pbx.Talk
	box     *pbx.Mailbox
	deleted map[string]bool // IDs of messages that go when he does, also if he hangs up
}

// choose is the main menu.
func (v *visitor) choose(ctx context.Context) pbx.Target {
	n := v.Messages.Count(v.box.Number)
	first := []string{fmt.Sprintf("mailbox:%d:%d", n.New, n.Old)}
	for {
		key, _ := choose(ctx, v.t, "123*", first, "vm-main-menu")
		var next pbx.Target
		stay := false
		switch key {
		case '1':
			next, stay = v.listen(ctx)
		case '2':
			stay = v.greetings(ctx)
		case '3':
			stay = v.changePIN(ctx)
		default: // also if nothing was pressed
			v.t.Play(ctx, promptGoodbye)
		}
		if !stay {
			return next
		}
		first = nil
	}
}

// removeDeleted removes what was deleted, when nobody can ask for it any more.
func (v *visitor) removeDeleted(ctx context.Context) {
	ctx, stop := toTheEnd(ctx)
	defer stop()
	for id, deleted := range v.deleted {
		if !deleted {
			continue
		}
		if err := v.Messages.Remove(ctx, v.box.Number, id); err != nil && !errors.Is(err, pbx.ErrNoSuchSound) {
			v.log("a message could not be removed", err)
		}
	}
}

// log says what failed.
func (v *visitor) log(what string, err error) {
	slog.Error(what, "mailbox", v.box.Number, "call", v.t.Call.ID, "err", err)
}

// failed says it to the visitor too. It reports whether he is still there.
func (v *visitor) failed(ctx context.Context, what string, err error) bool {
	if ctx.Err() == nil {
		v.log(what, err)
	}
	return v.t.Play(ctx, promptError)
}
