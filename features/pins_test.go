package features

import (
	"context"

	"ringback/pbx"
)

// pins are settings of which only PINs are asked for: 4711 is everybody's.
type pins struct {
	pbx.Settings
	asked []string
}

func (p *pins) CheckPIN(_ context.Context, extension, pin string) bool {
	p.asked = append(p.asked, extension+":"+pin)
	return pin == "4711"
}
