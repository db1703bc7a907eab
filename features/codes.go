package features

import "ringback/pbx"

// code is the service that a dialled number stands for, nil if it is none.
func (r *route) code(caller *pbx.Extension, dialled string) pbx.Target {
	if dialled == "*43" {
		return pbx.Echo()
	}
	return nil
}
