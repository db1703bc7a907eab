package pbx

import (
	"context"
	"time"
)

// Key plays prompts, one after the other, until a key is pressed, and then waits for one for so long. It returns the key, # too; 0 if
// none came, or those at once that were typed ahead. It reports false when the party has gone or ctx is done.
func (t *Talk) Key(ctx context.Context, wait time.Duration, prompts ...string) (key byte, there bool) {
	for _, prompt := range prompts {
		if !t.there(ctx) {
			return 0, false
		}
		playing, ok := t.start(prompt)
		if !ok {
			continue
		}
		select {
		case key := <-t.keys:
			t.quiet()
			return key, t.there(ctx)
		case whole := <-playing:
			if !whole {
				t.cutShort(ctx)
			}
		case <-ctx.Done():
			t.quiet()
			return 0, false
		case <-t.gone:
			return 0, false
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case key := <-t.keys:
		return key, t.there(ctx)
	default:
	}
	select {
	case key := <-t.keys:
		return key, t.there(ctx)
	case <-timer.C:
		return 0, t.there(ctx)
	case <-ctx.Done():
		return 0, false
	case <-t.gone:
		return 0, false
	}
}

// HideCaller notes for the record that the called party is not told who the caller is.
func (t *Talk) HideCaller() { t.Call.hidden() }

// shown is who the caller is, and whether that is to be kept from others.
func (t *Talk) shown() Identity {
	from := t.Call.From
	t.sb.mu.Lock()
	defer t.sb.mu.Unlock()
	from.Hidden = from.Hidden || t.Call.record.Hidden
	return from
}
