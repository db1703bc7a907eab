package wire

import "strings"

// QValue reads ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) (RFC 3261 §25.1) into thousandths. Phones that leave out
// the 0 are understood.
func QValue(s string) (int, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if s == "" || s == "." || len(frac) > 3 || whole != "" && whole != "0" && whole != "1" {
		return 0, false
	}
	n := 0
	for i := range 3 {
		d := byte('0')
		if i < len(frac) {
			d = frac[i]
		}
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int(d-'0')
	}
	if whole == "1" {
		n += 1000
	}
	return n, n <= 1000
}
