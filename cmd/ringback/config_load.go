package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// setting is one leaf of Config.
type setting struct {
	key    string // as in config.toml
	live   bool   // takes effect on SIGHUP
	secret bool   // not to be shown
	value  reflect.Value
}

// settings are the leaves of c, in the order of the struct.
func (c *Config) settings() []setting { return leaves(reflect.ValueOf(c).Elem(), "") }

func leaves(v reflect.Value, prefix string) []setting {
	var all []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := prefix + f.Tag.Get("key")
		if _, isValue := v.Field(i).Interface().(PortRange); v.Field(i).Kind() == reflect.Struct && !isValue {
			all = append(all, leaves(v.Field(i), key+".")...)
			continue
		}
		all = append(all, setting{key, f.Tag.Get("live") == "yes", f.Tag.Get("secret") == "yes", v.Field(i)})
	}
	return all
}

// variable is the setting's name in the environment.
func (s setting) variable() string {
	return "RINGBACK_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// sources are where settings come from, weakest first: the defaults, the file, the environment, the command line.
type sources struct {
	file    string              // "": config.toml in the working directory, if there is one
	environ func(string) string // os.Getenv
	flags   map[string]string   // by key; those not given are not in it
}

// defaultFile is read if no file is named.
const defaultFile = "config.toml"

// loaded is a Config and where each setting that is not a default came from.
type loaded struct {
	Config
	file string            // the one that was read, "" if none
	from map[string]string // key: "config.toml, line 7", "RINGBACK_DATA", "--data"
}

// load reads and checks everything. The error is one sentence that names the setting and where it stands.
func load(src sources) (*loaded, error) {
	l := &loaded{Config: defaultConfig(), from: map[string]string{}}
	if err := l.readFile(src.file); err != nil {
		return nil, err
	}
	for _, s := range l.settings() {
		if text := src.environ(s.variable()); text != "" {
			l.from[s.key] = s.variable()
			if err := parse(s.value, text); err != nil {
				return nil, l.bad(s.key, err)
			}
		}
	}
	for key, text := range src.flags {
		s, ok := l.find(key)
		if !ok {
			return nil, fmt.Errorf("--set: there is no setting %s%s", key, l.similar(key))
		}
		l.from[key] = "--" + strings.NewReplacer(".", "-", "_", "-").Replace(key)
		if err := parse(s.value, text); err != nil {
			return nil, l.bad(key, err)
		}
	}
	l.listenForTLS()
	if key, err := l.check(); err != nil {
		return nil, l.bad(key, err)
	}
	return l, nil
}

// listenForTLS fills in sip.tls_listen where there is a certificate: port 5061 of the addresses of sip.listen.
func (c *Config) listenForTLS() {
	s := &c.SIP
	if len(s.TLSListen) > 0 || s.TLSCertificate == "" && !s.TLSSelfSigned {
		return
	}
	for _, l := range s.Listen {
		at := Listen{Addr: netip.AddrPortFrom(l.Addr.Addr(), 5061)}
		if !slices.Contains(s.TLSListen, at) {
			s.TLSListen = append(s.TLSListen, at)
		}
	}
}

// bad is the sentence: where the setting stands, its name, what is wrong.
func (l *loaded) bad(key string, err error) error {
	where := l.from[key]
	if where == "" {
		where = "default"
	}
	return fmt.Errorf("%s: %s %w", where, key, err)
}

func (l *loaded) find(key string) (setting, bool) {
	all := l.settings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

func (l *loaded) readFile(name string) error {
	given := name != ""
	if !given {
		name = defaultFile
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil
	} else if err != nil {
		return fmt.Errorf("the configuration cannot be read: %w", err)
	}
	l.file = name
	return l.parseFile(name, text)
}

func (l *loaded) parseFile(name string, text []byte) error {
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		var d *toml.DecodeError
		if errors.As(err, &d) {
			line, _ := d.Position()
			return fmt.Errorf("%s, line %d: %s", name, line, strings.TrimPrefix(d.Error(), "toml: "))
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, k := range entries(tree, "", linesOf(text)) {
		l.from[k.key] = fmt.Sprintf("%s, line %d", name, k.line)
		_, isTable := k.value.(map[string]any)
		s, ok := l.find(k.key)
		switch {
		case isTable && l.isTable(k.key):
			continue
		case isTable && !ok:
			return fmt.Errorf("%s: there is no section %s%s", l.from[k.key], k.key, l.similar(k.key))
		case l.isTable(k.key):
			return fmt.Errorf("%s: %s is a section, not a setting", l.from[k.key], k.key)
		case !ok:
			return fmt.Errorf("%s: there is no setting %s%s", l.from[k.key], k.key, l.similar(k.key))
		}
		if err := assign(s.value, k.value); err != nil {
			return l.bad(k.key, err)
		}
	}
	return nil
}

type entry struct {
	key   string
	line  int
	value any
}

// entries are the tables and values of a document in the order of the file, so that the first mistake is the one told.
func entries(tree map[string]any, prefix string, lines map[string]int) []entry {
	var all []entry
	for name, v := range tree {
		key := prefix + name
		line, ok := lines[key]
		if !ok { // in an inline table: its line
			line = lines[strings.TrimSuffix(prefix, ".")]
			lines[key] = line
		}
		all = append(all, entry{key, line, v})
		if t, ok := v.(map[string]any); ok {
			all = append(all, entries(t, key+".", lines)...)
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.key, b.key))
	})
	return all
}

func (l *loaded) isTable(key string) bool {
	return slices.ContainsFunc(l.settings(), func(s setting) bool { return strings.HasPrefix(s.key, key+".") })
}

// linesOf finds where the keys and tables of a valid TOML document stand.
func linesOf(text []byte) map[string]int {
	lines := map[string]int{}
	p := &unstable.Parser{}
	p.Reset(text)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		name := ""
		if e.Kind == unstable.KeyValue {
			name = prefix
		}
		for it := e.Key(); it.Next(); {
			n := it.Node()
			name += string(n.Data)
			if _, ok := lines[name]; !ok {
				lines[name] = p.Shape(n.Raw).Start.Line
			}
			name += "."
		}
		if e.Kind != unstable.KeyValue {
			prefix = name
		}
	}
	return lines
}

// misspelt are the variables of an environment that look like settings and are none: misspelt ones, or what
// Kubernetes sets for a service named ringback.
func misspelt(environment []string) []string {
	known := map[string]bool{"RINGBACK_CONFIG": true, "RINGBACK_API_TOKEN": true, "RINGBACK_URL": true}
	c := defaultConfig()
	for _, s := range c.settings() {
		known[s.variable()] = true
	}
	var all []string
	for _, e := range environment {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "RINGBACK_") && !known[name] {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// similar suggests the setting that was probably meant.
func (l *loaded) similar(key string) string {
	best, least := "", 4
	_, leaf, _ := strings.Cut(key, ".")
	for _, s := range l.settings() {
		if d := distance(key, s.key); d < least {
			best, least = s.key, d
		}
		if _, name, _ := strings.Cut(s.key, "."); leaf == "" && name == key {
			best, least = s.key, 0
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// changed lists the settings that differ, those that need a restart apart.
func changed(before, after *Config) (live, restart []string) {
	b := after.settings()
	for i, a := range before.settings() {
		switch {
		case reflect.DeepEqual(a.value.Interface(), b[i].value.Interface()):
		case a.live:
			live = append(live, a.key)
		default:
			restart = append(restart, a.key)
		}
	}
	return live, restart
}
