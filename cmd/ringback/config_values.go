package main

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Listen is an address to listen on. Only is "udp" or "tcp" for one of them, "" for what the setting is about.
type Listen struct {
	Only string
	Addr netip.AddrPort
}

func (l Listen) String() string {
	if l.Only != "" {
		return l.Only + "://" + l.Addr.String()
	}
	return l.Addr.String()
}

func (l Listen) is(transport string) bool { return l.Only == "" || l.Only == transport }

// parseListen reads "127.0.0.1:5060", "[::]:5060", "udp://…" or "tcp://…". ":5060" is all IPv4 and IPv6 addresses.
func parseListen(s string) ([]Listen, error) {
	only, rest, ok := strings.Cut(s, "://")
	if !ok {
		only, rest = "", s
	}
	if only != "" && only != "udp" && only != "tcp" {
		return nil, fmt.Errorf("%q must begin with udp:// or tcp://, or with neither for both", s)
	}
	if port, ok := strings.CutPrefix(rest, ":"); ok {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			return []Listen{{only, netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(n))}, {only, netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(n))}}, nil
		}
	}
	a, err := netip.ParseAddrPort(rest)
	if err != nil {
		return nil, fmt.Errorf("%q must be an address with a port, such as 127.0.0.1:5060 or [::1]:5060", s)
	}
	return []Listen{{only, netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}}, nil
}

// PortRange is a range of UDP ports, both ends included.
type PortRange struct{ Min, Max uint16 }

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Min, r.Max) }

func parsePorts(s string) (PortRange, error) {
	lo, hi, ok := strings.Cut(s, "-")
	a, err1 := strconv.ParseUint(strings.TrimSpace(lo), 10, 16)
	b, err2 := strconv.ParseUint(strings.TrimSpace(hi), 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return PortRange{}, fmt.Errorf("%q must be a range of ports such as 20000-29999", s)
	}
	return PortRange{uint16(a), uint16(b)}, nil
}

// Size is a number of bytes.
type Size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"", 1}}

func (s Size) String() string {
	for _, u := range sizeUnits {
		if int64(s)%u.bytes == 0 && s != 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0"
}

func parseSize(text string) (Size, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/u.bytes {
			return Size(n * u.bytes), nil
		}
		break
	}
	return 0, fmt.Errorf("must be %s", wanted(reflect.ValueOf(Size(0))))
}

// assign stores a value of config.toml: a string, int64, float64, bool or list of them.
func assign(to reflect.Value, v any) error {
	switch v := v.(type) {
	case string:
		return parse(to, v)
	case []any:
		if to.Kind() != reflect.Slice {
			return fmt.Errorf("must be one value, not a list")
		}
		texts := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf(`must be a list of texts such as ["…"]`)
			}
			texts[i] = s
		}
		return parseList(to, texts)
	case int64:
		if to.Kind() == reflect.Int {
			to.SetInt(v)
			return nil
		}
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(v)
			return nil
		}
	}
	return fmt.Errorf("must be %s", wanted(to))
}

// parse stores a value given as text, in the environment or on the command line. A list is separated by commas.
func parse(to reflect.Value, s string) error {
	switch p := to.Addr().Interface().(type) {
	case *string:
		*p = s
		return nil
	case *bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be %s", wanted(to))
		}
		*p = b
		return nil
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("must be %s", wanted(to))
		}
		*p = n
		return nil
	case *time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("must be %s", wanted(to))
		}
		*p = d
		return nil
	case *Size:
		n, err := parseSize(s)
		if err != nil {
			return err
		}
		*p = n
		return nil
	case *PortRange:
		r, err := parsePorts(s)
		if err != nil {
			return err
		}
		*p = r
		return nil
	}
	var list []string
	for _, e := range strings.Split(s, ",") {
		if e = strings.TrimSpace(e); e != "" {
			list = append(list, e)
		}
	}
	return parseList(to, list)
}

func parseList(to reflect.Value, list []string) (err error) {
	switch p := to.Addr().Interface().(type) {
	case *[]string:
		*p = list
	case *[]Listen:
		*p, err = each(list, parseListen)
	case *[]netip.Addr:
		*p, err = each(list, func(s string) ([]netip.Addr, error) {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("%q must be an IP address", s)
			}
			return []netip.Addr{a}, nil
		})
	case *[]netip.Prefix:
		*p, err = each(list, func(s string) ([]netip.Prefix, error) {
			a, err := netip.ParsePrefix(s)
			if err != nil {
				return nil, fmt.Errorf("%q must be a network such as 192.168.0.0/16", s)
			}
			return []netip.Prefix{a}, nil
		})
	default:
		return fmt.Errorf("must be %s", wanted(to))
	}
	return err
}

func each[T any](list []string, parse func(string) ([]T, error)) ([]T, error) {
	var all []T
	for _, s := range list {
		v, err := parse(s)
		if err != nil {
			return nil, err
		}
		all = append(all, v...)
	}
	return all, nil
}

func wanted(to reflect.Value) string {
	switch to.Interface().(type) {
	case time.Duration:
		return `a time with its unit, such as "30s", "5m" or "2h"`
	case int:
		return "a whole number"
	case bool:
		return "true or false"
	case Size:
		return `a size with its unit, such as "500MB" or "20GB"`
	case PortRange:
		return `a range of ports such as "20000-29999"`
	case string:
		return `a text such as "…"`
	}
	return `a list of texts such as ["…"]`
}
