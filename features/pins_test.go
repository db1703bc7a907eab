package features

import (
	"context"

	"ringback/pbx"
)

// pins are settings of which only PINs are asked for: 4711 is everybody's, and 0815 that of moderators.
type pins struct {
	pbx.Settings
	asked []string
	given []string // to mailboxes
	fails error    // of what gives PINs
}

func (p *pins) CheckPIN(_ context.Context, extension, pin string) bool {
	p.asked = append(p.asked, extension+":"+pin)
	return pin == "4711"
}

func (p *pins) CheckRoomPIN(_ context.Context, room, pin string) (ok, moderator bool) {
	p.asked = append(p.asked, room+":"+pin)
	return pin == "4711" || pin == "0815", pin == "0815"
}

func (p *pins) CheckMailboxPIN(_ context.Context, mailbox, pin string) bool {
	p.asked = append(p.asked, mailbox+":"+pin)
	return pin == "4711"
}

func (p *pins) SetMailboxPIN(_ context.Context, mailbox, pin string, by pbx.Set) error {
	if p.fails != nil {
		return p.fails
	}
	p.given = append(p.given, mailbox+":"+pin+" by "+by.By)
	return nil
}
