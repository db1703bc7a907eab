package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"ringback/features"
	"ringback/media"
	"ringback/media/speech"
	"ringback/pbx"
	"ringback/pbx/archive"
	"ringback/pbx/line"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/registrar"
	"ringback/pbx/line/wire"
	"ringback/pbx/mail"
	"ringback/pbx/store"
	"ringback/web"
)

// instance is a running exchange: every part of it, and the order they stop in.
type instance struct {
	log     *slog.Logger
	config  atomic.Pointer[Config] // the settings in force; live ones are read from here whenever they matter
	state   atomic.Pointer[string] // why calls are not taken now, nil while they are
	metrics *web.Metrics

	store       *store.Store
	archive     *archive.Archive
	mailer      *mail.Mailer
	feed        *pbx.Feed
	planner     *planner
	media       *media.Engine
	speech      *speech.Speech
	registrar   *registrar.Registrar
	auth        *digest.Authenticator
	known       known
	line        *line.Line
	transport   *wire.Transport
	switchboard *pbx.Switchboard
	certificate certificate
	web         *webServer

	closers []func() error // of what has been started, in the order of the start
	first   *firstStart    // nil: not the first start of this data directory
}

// firstStart is what is told once.
type firstStart struct{ password, token string }

var (
	starting = "it is starting"
	stopping = "it is shutting down"
)

// options of startInstance that are not settings.
type options struct {
	log      *slog.Logger
	apiToken string                                           // accepted besides those of the store; "": none
	trace    func(dir wire.Direction, hop wire.Hop, b []byte) // sees every SIP message; may be nil
}

// startInstance starts every part, or none: on an error what was started already is stopped again.
func startInstance(cfg *Config, o options) (*instance, error) {
	i := &instance{log: o.log, metrics: web.NewMetrics(), feed: pbx.NewFeed()}
	if i.log == nil {
		i.log = slog.Default()
	}
	i.config.Store(cfg)
	i.state.Store(&starting)
	if err := i.start(cfg, o); err != nil {
		i.close()
		return nil, err
	}
	i.state.Store(nil)
	return i, nil
}

func (i *instance) start(cfg *Config, o options) (err error) {
	ctx := context.Background()
	if i.store, err = store.Open(cfg.Data, store.Options{Realm: cfg.Realm, Log: i.log, CDRMaxAge: cfg.Calls.Keep,
		CheckCodes: features.CheckCodes, IsCode: features.IsCode}); err != nil {
		return err
	}
	i.closers = append(i.closers, i.store.Close)
	if err := i.startArchive(cfg); err != nil {
		return err
	}
	if i.planner, err = newPlanner(ctx, i.store, i.archive, cfg); err != nil {
		return err
	}
	if err := i.startMedia(cfg); err != nil {
		return err
	}
	if err := i.startRegistrar(ctx, cfg); err != nil {
		return err
	}
	tlsConfig, err := i.certificate.config(cfg)
	if err != nil {
		return err
	}
	if err := i.wireLine(cfg, o, tlsConfig); err != nil {
		return err
	}
	i.registerMetrics()
	if i.web, err = startWeb(i, cfg, o); err != nil {
		return err
	}
	i.closers = append(i.closers, i.web.close)
	if err := i.transport.Open(i.line.Receive); err != nil {
		return fmt.Errorf("cannot listen for SIP: %w", err)
	}
	i.line.Start()
	i.mailer.Start()
	return i.welcome(ctx, o)
}

func (i *instance) startMedia(cfg *Config) (err error) {
	timeout, rest, dscp := cfg.RTP.Timeout, cfg.RTP.Rest, cfg.RTP.DSCP
	if rest == 0 {
		rest = -1
	}
	if dscp == 0 {
		dscp = -1
	}
	i.media, err = media.New(media.Options{
		Bind: mediaAddresses(cfg), AdvertiseFor: i.advertise, Log: i.log,
		MinPort: cfg.RTP.Ports.Min, MaxPort: cfg.RTP.Ports.Max, Rest: rest, Timeout: timeout, DSCP: dscp,
	})
	if err != nil {
		return fmt.Errorf("cannot receive RTP: %w", err)
	}
	i.closers = append(i.closers, i.media.Close)
	i.warnOfFileLimit(cfg)
	return nil
}

// warnOfFileLimit says if the limit of open files (which the Go runtime has raised as far as it may) leaves ports of
// the range unused. Each is a socket.
func (i *instance) warnOfFileLimit(cfg *Config) {
	all := (int(cfg.RTP.Ports.Max) + 1 - int(cfg.RTP.Ports.Min+cfg.RTP.Ports.Min%2)) / 2 * len(mediaAddresses(cfg))
	if usable := i.media.Stats().PortsFree; usable < all {
		i.log.Warn("the limit of open files (ulimit -n) leaves a part of rtp.ports unused: further calls will get 503",
			"rtp.ports", cfg.RTP.Ports.String(), "usable_percent", usable*100/all)
	}
}

func (i *instance) startRegistrar(ctx context.Context, cfg *Config) error {
	secret, err := i.store.Secret(ctx, store.SettingGRUUSecret, 32)
	if err != nil {
		return err
	}
	phones := pbx.NewPhoneFeed(i.feed)
	i.registrar, err = registrar.New(registrar.Options{
		Journal: &tellingJournal{i.store.Journal(), phones}, Directory: i.store, Secret: secret, Server: product,
		OnAdded: func(id string) { i.line.BindingAdded(id) },
		OnReachable: func(id string, reachable bool) {
			if reachable {
				i.line.BindingAdded(id)
			}
		},
	})
	if err != nil {
		return err
	}
	i.closers = append(i.closers, func() error { i.registrar.Close(); return nil })
	if err := i.registrar.SetRules(cfg.registrarRules()); err != nil {
		return err
	}
	bindings, err := i.store.LoadBindings(ctx)
	if err != nil {
		return err
	}
	for _, b := range bindings {
		phones.Known(b)
	}
	i.registrar.Restore(bindings)
	i.store.OnChange(func(c store.Change) {
		if c.After == nil || !c.After.Enabled {
			i.registrar.Drop(c.Number)
			i.line.Forget(c.Number)
		}
	})
	return nil
}

// rules are the registrar's settings that are live.
func (cfg *Config) registrarRules() registrar.Rules {
	r := &cfg.Registrar
	return registrar.Rules{Min: r.MinExpires, Max: r.MaxExpires, Default: r.DefaultExpires, RefuseFull: r.Full == fullRefuse}
}

// product is User-Agent and Server.
const product = "Ringback"

// wireLine makes what the signalling consists of; nothing is received before transport.Open.
func (i *instance) wireLine(cfg *Config, o options, tlsConfig *tls.Config) error {
	prompt, err := i.prompts(cfg)
	if err != nil {
		return err
	}
	var algorithms []digest.Algorithm
	for _, a := range cfg.Auth.Algorithms {
		algorithms = append(algorithms, digest.Algorithm(a))
	}
	i.auth, err = digest.New(digest.Options{Realm: i.store.Realm(), Directory: i.store, Algorithms: algorithms,
		NonceLifetime: cfg.Auth.NonceLifetime, Failures: cfg.Auth.Failures, Window: cfg.Auth.FailureWindow})
	if err != nil {
		return err
	}
	qualify := cfg.SIP.Qualify
	if qualify == 0 {
		qualify = -1
	}
	udp, tcp := cfg.sipAddresses()
	i.transport = wire.New(wire.Options{
		UDP: udp, TCP: tcp, TLS: addresses(cfg.SIP.TLSListen), TLSConfig: tlsConfig, Readers: cfg.readers(),
		PerSource: float64(cfg.SIP.SourceRate), Burst: cfg.SIP.SourceBurst, Exempt: i.exempt,
		MaxConns: cfg.SIP.MaxConnections, MaxConnsPerIP: cfg.SIP.MaxPerAddress, IdleTimeout: cfg.SIP.IdleTimeout,
		Closed: func(hop wire.Hop) { i.line.Closed(hop) }, Trace: o.trace, Log: i.log,
	})
	i.line = line.New(line.Options{
		Send: i.transport, Directory: i.store, Authenticator: &i.known, Registrar: i.registrar, Media: line.Engine(i.media),
		Locals: i.transport.Locals, Advertise: i.advertise, Realm: i.store.Realm(), Product: product,
		SessionExpires: cfg.SIP.SessionExpires, MinSE: cfg.SIP.MinSessionExpires, Qualify: qualify,
		MaxTx: cfg.SIP.MaxTransactions, State: watched{i}, Log: i.log,
		MyMailbox: func(number string) bool { return features.IsMyMailbox(i.store.Office(), number) },
	})
	i.known.next = i.auth
	i.switchboard = pbx.New(pbx.Options{
		Line: i.line, Journal: i.measured(i.store.Journal()), Directory: i.store, Log: i.log,
		Route: i.planner.Route, Recent: i.planner.recent, Prompt: prompt, NewRoom: i.media.NewRoom, NewCapture: i.media.NewCapture,
		Recordings: i.archive, ConferenceChanged: i.conferenceChanged, Feed: i.feed,
	})
	i.line.SetExchange(i.switchboard)
	i.closers = append(i.closers, i.transport.Close, func() error {
		i.line.HangupAll(pbx.GoingDown)
		i.switchboard.Close()
		i.line.Close()
		return nil
	})
	return nil
}

// exempt addresses may send as fast as they like: those of registered phones, and those that lately authenticated.
func (i *instance) exempt(a netip.Addr) bool { return i.registrar.RegisteredFrom(a) || i.known.is(a) }

// advertise is the address that a phone at remote is told, if it is not the interface's own.
func (i *instance) advertise(remote netip.Addr) netip.Addr {
	cfg := i.config.Load()
	remote = remote.Unmap().WithZone("")
	if !remote.IsValid() || slices.ContainsFunc(cfg.LocalNetworks, func(p netip.Prefix) bool { return p.Contains(remote) }) {
		return netip.Addr{}
	}
	for _, a := range cfg.ExternalAddress {
		if a.Is4() == remote.Is4() {
			return a
		}
	}
	return netip.Addr{}
}

// welcome makes the administrator and the first token of a new data directory, once everything else has worked.
func (i *instance) welcome(ctx context.Context, o options) error {
	password, err := i.store.EnsureAdmin(ctx)
	if err != nil || password == "" {
		return err
	}
	i.first = &firstStart{password: password}
	if o.apiToken == "" {
		i.first.token, err = i.store.CreateToken(ctx, "first", store.ScopeAdmin)
	}
	return err
}

// drain takes no more calls, gives those that are up the time of grace, and ends what is left. ctx cuts it short.
func (i *instance) drain(ctx context.Context) {
	i.state.Store(&stopping)
	i.line.Drain()
	grace := i.config.Load().Calls.Grace
	ctx, cancel := context.WithTimeout(ctx, grace+5*time.Second) // phones have to answer the BYE
	defer cancel()
	if n := len(i.switchboard.Calls()); n > 0 {
		i.log.Info("no new calls are taken", "calls", n, "grace", grace)
	}
	if err := i.switchboard.Drain(ctx, grace); err != nil {
		i.log.Warn("some calls did not end in order", "calls", len(i.switchboard.Calls()), "error", err)
	}
}

// close stops everything in the reverse order of its start.
func (i *instance) close() {
	i.state.Store(&stopping)
	for _, stop := range slices.Backward(i.closers) {
		if err := stop(); err != nil {
			i.log.Error("while stopping", "error", err)
		}
	}
	i.closers = nil
}
