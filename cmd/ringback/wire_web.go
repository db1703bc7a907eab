package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/registrar"
	"ringback/pbx/store"
	"ringback/web"
)

// webServer is the API on its listeners.
type webServer struct {
	dir     string // of the Unix socket
	servers []*http.Server
	addrs   []netip.AddrPort // of the network listeners
	serving sync.WaitGroup
}

func startWeb(i *instance, cfg *Config, o options) (*webServer, error) {
	s := web.New(web.Backend{
		Extensions:    extensions{i.store},
		Services:      services{i.store},
		Groups:        groups{i.store},
		Rooms:         rooms{i.store},
		Menus:         menus{i.store},
		Mailboxes:     mailboxes{i.store},
		Messages:      messages{i.archive},
		Hours:         hours{i.store},
		Office:        office{i.store},
		Prompts:       spokenPrompts{i.speech, cfg.spokenLanguage()},
		Plans:         i.planner,
		Registrations: registrations{i.registrar},
		Calls:         i.switchboard,
		Conferences:   i.switchboard,
		Recorder:      i.switchboard,
		Recordings:    i.archive,
		Records:       records{i.store},
		Events:        i.feed,
		Tokens:        newTokens(i.store, o.apiToken),
		Users:         i.store,
		Ready:         i.ready,
	}, web.Options{Metrics: cfg.HTTP.Metrics, TokenFailures: cfg.HTTP.TokenFailures, Log: i.log, Stats: i.metrics})

	var listeners []net.Listener
	fail := func(err error) (*webServer, error) {
		for _, l := range listeners {
			l.Close()
		}
		os.Remove(filepath.Join(i.store.Dir(), socketName)) // if it was made
		return nil, err
	}
	w := &webServer{dir: i.store.Dir()}
	local, err := listenSocket(i.store.Dir())
	if err != nil {
		return fail(fmt.Errorf("cannot make the socket of the command line: %w", err))
	}
	listeners = append(listeners, local)
	for _, a := range addresses(cfg.HTTP.Listen) {
		network := "tcp4"
		if a.Addr().Is6() {
			network = "tcp6"
		}
		l, err := net.Listen(network, a.String())
		if err != nil {
			return fail(fmt.Errorf("cannot listen for HTTP: %w", err))
		}
		listeners = append(listeners, l)
		w.addrs = append(w.addrs, l.Addr().(*net.TCPAddr).AddrPort())
	}
	for n, l := range listeners {
		h := s.Handler()
		if n == 0 {
			h = s.Local()
		}
		server := s.HTTP(h)
		w.servers = append(w.servers, server)
		w.serving.Go(func() { server.Serve(web.Limit(l)) })
	}
	return w, nil
}

// close lets requests that run finish for two seconds.
func (w *webServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, s := range w.servers {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	}
	w.serving.Wait()
	if err := os.Remove(filepath.Join(w.dir, socketName)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ready says whether calls are taken.
func (i *instance) ready() error {
	if why := i.state.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}

// webError is an error of the store or the registrar as web knows it.
func webError(err error) error {
	var bad *store.ValidationError
	switch {
	case errors.As(err, &bad):
		return &web.Invalid{Field: bad.Field, Sentence: bad.Sentence}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, registrar.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, store.ErrExists):
		return web.ErrExists
	case errors.Is(err, store.ErrOverload), errors.Is(err, registrar.ErrBusy):
		return web.ErrBusy
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", web.ErrFull, err)
	}
	return err
}

// told is what the store answers, with the error as web knows it.
func told[T any](v T, err error) (T, error) { return v, webError(err) }

type extensions struct{ *store.Store }

func (s extensions) ListExtensions(ctx context.Context, after string, limit int) ([]web.Extension, error) {
	list, err := s.Store.ListExtensions(ctx, after, limit)
	all := make([]web.Extension, len(list))
	for i, e := range list {
		all[i] = web.Extension(e)
	}
	return all, webError(err)
}

func (s extensions) GetExtension(ctx context.Context, number string) (web.Extension, error) {
	e, err := s.Store.GetExtension(ctx, number)
	return web.Extension(e), webError(err)
}

func (s extensions) CreateExtension(ctx context.Context, n web.NewExtension) (web.Extension, string, error) {
	e, password, err := s.Store.CreateExtension(ctx, store.NewExtension(n))
	return web.Extension(e), password, webError(err)
}

func (s extensions) UpdateExtension(ctx context.Context, number string, u web.ExtensionUpdate) (web.Extension, string, error) {
	e, generated, err := s.Store.UpdateExtension(ctx, number, store.ExtensionUpdate(u))
	return web.Extension(e), generated, webError(err)
}

func (s extensions) DeleteExtension(ctx context.Context, number string) error {
	return webError(s.Store.DeleteExtension(ctx, number))
}

type registrations struct{ *registrar.Registrar }

func (r registrations) List(extension, after string, limit int) []web.Registration {
	all := r.All()
	if extension != "" {
		all = slices.Values(r.Registrar.List(extension))
	}
	var list []web.Registration
	for b := range all {
		if b.ID > after {
			list = append(list, web.Registration{Binding: b.Binding, ID: b.ID, Reachable: b.Reachable, RoundTrip: b.RTT})
		}
	}
	slices.SortFunc(list, func(a, b web.Registration) int { return strings.Compare(a.ID, b.ID) })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list
}

func (r registrations) Remove(_ context.Context, id string) error {
	return webError(r.Registrar.Remove(id))
}

type records struct{ *store.Store }

// Page implements web.Records.
func (s records) Page(ctx context.Context, f web.Filter) ([]pbx.CDR, string, error) {
	if f.After == "" {
		s.catchUp(ctx)
	}
	p, err := s.ListCDRs(ctx, store.CDRFilter(f))
	return p.CDRs, p.Next, webError(err)
}

// catchUp moves calls that have just ended into the database, so that lists have them. Where the disk does not take
// them the journal says so; the list is what there is.
func (s records) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = s.Journal().Flush(ctx)
}

func (s records) Get(ctx context.Context, id string) (pbx.CDR, error) {
	c, err := s.GetCDR(ctx, id)
	return c, webError(err)
}

func (s records) All(ctx context.Context, f web.Filter) iter.Seq2[pbx.CDR, error] {
	s.catchUp(ctx)
	f.Limit = 1000
	return s.CDRs(ctx, store.CDRFilter(f))
}

// tokens are those of the store, and one that the environment sets for as long as it does.
type tokens struct {
	*store.Store
	fixed *[sha256.Size]byte
}

func newTokens(s *store.Store, fixed string) tokens {
	t := tokens{Store: s}
	if fixed != "" {
		sum := sha256.Sum256([]byte(fixed))
		t.fixed = &sum
	}
	return t
}

// fromEnvironment is what the token of RINGBACK_API_TOKEN is called.
const fromEnvironment = "environment"

func (t tokens) Valid(secret string) (string, bool) {
	if t.fixed != nil {
		if sum := sha256.Sum256([]byte(secret)); subtle.ConstantTimeCompare(sum[:], t.fixed[:]) == 1 {
			return fromEnvironment, true
		}
	}
	if k, ok := t.CheckToken(secret); ok && k.Scope == store.ScopeAdmin {
		return k.Name, true
	}
	return "", false
}

func (t tokens) List() []web.Token {
	all := []web.Token{}
	for _, k := range t.Tokens() {
		all = append(all, web.Token{Name: k.Name, Created: k.Created, Used: k.LastUsed()})
	}
	return all
}

func (t tokens) Create(ctx context.Context, name string) (string, error) {
	secret, err := t.CreateToken(ctx, name, store.ScopeAdmin)
	return secret, webError(err)
}

func (t tokens) Revoke(ctx context.Context, name string) error {
	return webError(t.RevokeToken(ctx, name))
}
