package wire

// Character classes of RFC 3261 §25.1, as bits of one table.
const (
	isToken = 1 << iota // token: names of methods, headers, parameters
	isURI               // what may stand in a URI at all; spaces, quotes, brackets and controls may not
	isHost              // hostname and IPv4 address; underscore is not in the RFC, but in many networks
	isIPv6              // inside of [ ]
	isHex
	isLWS
	isWord // Call-ID
)

var class = func() (t [256]uint8) {
	set := func(bit uint8, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= bit
		}
	}
	const (
		digits = "0123456789"
		hex    = digits + "abcdefABCDEF"
		alnum  = digits + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	)
	set(isToken, alnum+"-.!%*_+`'~")
	set(isHost, alnum+"-._")
	set(isIPv6, hex+":.")
	set(isHex, hex)
	set(isLWS, " \t")
	for c := 0x21; c < 256; c++ {
		if c != 0x7f {
			t[c] |= isWord
			if c != '<' && c != '>' && c != '"' {
				t[c] |= isURI
			}
		}
	}
	return t
}()

func all(s string, bit uint8) bool {
	for i := range len(s) {
		if class[s[i]]&bit == 0 {
			return false
		}
	}
	return true
}

func token(s string) bool { return s != "" && all(s, isToken) }

// skip gives the index of the first character at or after i that is not linear white space.
func skip(s string, i int) int {
	for i < len(s) && class[s[i]]&isLWS != 0 {
		i++
	}
	return i
}

func trim(s string) string {
	i, j := skip(s, 0), len(s)
	for j > i && class[s[j-1]]&isLWS != 0 {
		j--
	}
	return s[i:j]
}

// lower allocates only if there is something to lower.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// fold reports whether s is t in any case; t is lower case.
func fold(s, t string) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != t[i] {
			return false
		}
	}
	return true
}

// number reads 1*DIGIT, at most max. It does not wrap, whatever the length.
func number(s string, max uint64) (n uint64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		if n = n*10 + uint64(c); n > max {
			return 0, false
		}
	}
	return n, true
}
