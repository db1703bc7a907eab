package features

import "ringback/pbx"

// Codes are the numbers that reach a service instead of an extension, by what is dialled.
type Codes map[string]func(from pbx.Identity) pbx.Target

// DefaultCodes are those of a new installation.
var DefaultCodes = Codes{
	"*43": func(pbx.Identity) pbx.Target { return pbx.Echo() },
}

// target is the service of a dialled code, nil if it is none.
func (c Codes) target(from pbx.Identity, dialled string) pbx.Target {
	if service := c[dialled]; service != nil {
		return service(from)
	}
	return nil
}
