package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// clientFlags say which instance a subcommand talks to.
type clientFlags struct {
	Config string `short:"c" placeholder:"FILE" env:"RINGBACK_CONFIG" help:"Configuration file of the instance, for its data directory."`
	Data   string `placeholder:"DIR" help:"Data directory of the instance, whose socket needs no token."`
	URL    string `name:"url" placeholder:"URL" env:"RINGBACK_URL" help:"Instance elsewhere, such as http://pbx:8080."`
	Token  string `placeholder:"TOKEN" env:"RINGBACK_API_TOKEN" help:"API token, with --url."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// client talks to the REST API of an instance.
type client struct {
	http  http.Client
	base  string
	token string
	where string // for people
	app
	json bool
}

func (f *clientFlags) client(a app) (*client, error) {
	c := &client{app: a, json: f.JSON, token: f.Token}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true} // a command asks once or twice
	c.http.Transport = transport
	if f.URL != "" {
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("--url %q must be a URL such as http://pbx:8080", f.URL)
		}
		c.base, c.where = strings.TrimSuffix(f.URL, "/"), f.URL
		return c, nil
	}
	dir := f.Data
	if dir == "" {
		src := sources{file: f.Config, environ: a.environ}
		l, err := load(src)
		if err != nil {
			return nil, err
		}
		dir = l.Data
	}
	c.base, c.where, c.token = "http://localhost", "the data directory "+dir, ""
	transport.Proxy = nil
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, done, err := socketPath(filepath.Clean(dir))
		if err != nil {
			return nil, err
		}
		defer done()
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
	}
	return c, nil
}

// problem is what the API says when something is wrong (RFC 9457).
type problem struct {
	Title, Detail string
	Errors        []struct{ Message, Location string }
}

// answerError is a problem that the API told.
type answerError struct {
	status int
	text   string
}

func (e *answerError) Error() string { return e.text }

// open sends a request and returns the response if it is a 2xx; the caller closes its body.
func (c *client) open(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	return c.send(ctx, method, path, "application/json", in)
}

// send is open with a body of whatever type, nil for none.
func (c *client) send(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("no exchange answers at %s (is ringback serve running there?): %w", c.where, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	var p problem
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if json.Unmarshal(b, &p) != nil || p.Detail == "" {
		return nil, fmt.Errorf("%s answered %s", c.where, res.Status)
	}
	say := []string{clean(p.Detail)}
	for _, e := range p.Errors {
		if e.Message != p.Detail {
			say = append(say, clean(strings.TrimPrefix(e.Location, "body.")+": "+e.Message))
		}
	}
	return nil, &answerError{res.StatusCode, strings.Join(say, "; ")}
}

// do sends a request and decodes the answer into out, unless that is nil.
func (c *client) do(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	res, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<20)).Decode(out); err != nil {
		return fmt.Errorf("%s answered something else than JSON: %w", c.where, err)
	}
	return nil
}

// remove deletes what is under path.
func (c *client) remove(ctx context.Context, path string, keys []string) error {
	for _, k := range keys {
		if err := c.do(ctx, http.MethodDelete, path+segment(k), nil, nil); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}

// list fetches up to limit items (0: all) of a list, page by page.
func list[T any](ctx context.Context, c *client, path string, query url.Values, limit int) ([]T, error) {
	all := []T{}
	for {
		var page struct {
			Items []T
			Next  string
		}
		if err := c.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" || limit > 0 && len(all) >= limit {
			if limit > 0 && len(all) > limit {
				all = all[:limit]
			}
			return all, nil
		}
		query.Set("after", page.Next)
	}
}

// print writes v as indented JSON, or calls human with a table to fill.
func (c *client) print(v any, human func(*table)) error {
	if c.json {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	t := &table{w: tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)}
	human(t)
	return t.w.Flush()
}

// table is what people read.
type table struct{ w *tabwriter.Writer }

func (t *table) row(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			io.WriteString(t.w, "\t")
		}
		text := clean(fmt.Sprint(cell))
		if text == "" {
			text = "-"
		}
		io.WriteString(t.w, text)
	}
	io.WriteString(t.w, "\n")
}

// clean keeps text that came from a phone from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, s)
}

// moment is a time as people in this place read it, or nothing.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func segment(s string) string { return "/" + url.PathEscape(s) }
