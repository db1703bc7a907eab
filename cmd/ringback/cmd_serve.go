package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

type serveCmd struct {
	settingFlags
	Profile string `placeholder:"DIR" help:"Write CPU and heap profiles (pprof) into this directory."`
}

// goodToken is the length below which a token is worth a warning.
const goodToken = 16

// Run is the life of a server: it ends at SIGTERM or SIGINT, after the calls have; a second signal cuts that short.
func (x *serveCmd) Run(ctx context.Context, a app) error {
	src := x.sources(a.environ)
	l, err := load(src)
	if err != nil {
		return err
	}
	apiToken := a.environ("RINGBACK_API_TOKEN")
	if strings.ContainsFunc(apiToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("RINGBACK_API_TOKEN must have printable ASCII characters only and no space")
	}
	var level slog.LevelVar
	log := newLog(a.err, &l.Config, &level)
	slog.SetDefault(log)
	tuneGC()
	if apiToken != "" && len(apiToken) < goodToken {
		log.Warn("RINGBACK_API_TOKEN is short: whoever guesses it administers the exchange", "characters", len(apiToken), "recommended", goodToken)
	}
	if names := misspelt(os.Environ()); len(names) > 0 {
		log.Warn("these environment variables look like settings but are none", "names", names)
	}

	if x.Profile != "" {
		stop, err := profile(x.Profile)
		if err != nil {
			return fmt.Errorf("no profile can be written: %w", err)
		}
		defer stop()
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)

	i, err := startInstance(&l.Config, options{log: log, apiToken: apiToken})
	if err != nil {
		return err
	}
	defer i.close()
	i.greet(a.out)
	if i.first != nil {
		i.first = nil
		debug.FreeOSMemory() // what hashing the password took
	}
	log.Info("ringback is running", "version", versionText(), "data", i.store.Dir(), "config", l.file,
		"udp", i.transport.Locals("udp"), "tcp", i.transport.Locals("tcp"), "tls", i.transport.Locals("tls"), "http", i.web.addrs,
		"extensions", i.store.CountExtensions(), "registrations", i.registrar.Len())

	for {
		select {
		case <-ctx.Done():
			return i.end(context.WithoutCancel(ctx), signals)
		case s := <-signals:
			if s != syscall.SIGHUP {
				log.Info("shutting down", "signal", s.String())
				return i.end(ctx, signals)
			}
			i.reload(src, &level)
		}
	}
}

// end drains until the calls are over, or another signal comes.
func (i *instance) end(ctx context.Context, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if s != syscall.SIGHUP {
					cancel(fmt.Errorf("a second signal came (%s)", s))
				}
			}
		}
	}()
	i.drain(ctx)
	cancel(nil)
	<-done
	return nil
}

// reload reads the settings again: those that can, take effect; a file with a mistake changes nothing.
func (i *instance) reload(src sources, level *slog.LevelVar) {
	l, err := load(src)
	if err != nil {
		i.log.Error("the configuration was not taken over", "error", err)
		return
	}
	old := i.config.Load()
	live, restart := changed(old, &l.Config)
	if old.SIP.TLSListen != nil { // a renewed certificate often has its old name
		if err := i.certificate.load(&l.Config); err != nil {
			i.log.Error("the configuration was not taken over", "error", err)
			return
		}
	}
	next := *old
	wanted := l.Config.settings()
	for n, s := range next.settings() {
		if s.live {
			s.value.Set(wanted[n].value)
		}
	}
	if err := i.registrar.SetRules(next.registrarRules()); err != nil {
		i.log.Error("the configuration was not taken over", "error", err)
		return
	}
	i.config.Store(&next)
	setLevel(level, next.Log.Level)
	i.log.Info("the configuration was read again", "changed", live)
	if len(restart) > 0 {
		i.log.Warn("some changes need a restart", "settings", restart)
	}
}

func newLog(w io.Writer, cfg *Config, level *slog.LevelVar) *slog.Logger {
	setLevel(level, cfg.Log.Level)
	o := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == formatJSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func setLevel(level *slog.LevelVar, name string) {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) == nil {
		level.Set(l)
	}
}

// greet tells, at the first start, what is shown only once and how to go on.
func (i *instance) greet(w io.Writer) {
	if i.first == nil {
		return
	}
	token := i.first.token
	if token == "" {
		token = "as set in RINGBACK_API_TOKEN"
	}
	at, how := netip.AddrPort{}, "UDP"
	for _, transport := range []string{"udp", "tcp", "tls"} {
		if locals := i.transport.Locals(transport); len(locals) > 0 {
			at, how = reachable(locals[0]), strings.ToUpper(transport)
			break
		}
	}
	fmt.Fprintf(w, `Ringback has made %s. These are shown only now:
  administrator  admin
  password       %s
  API token      %s

To register the first phone:
  1. Add an extension; this prints its password:  ringback extension add 1000 --name Alice%s
  2. In the phone: server %s, port %d, %s; user 1000; that password.
  3. Dial *43 and hear yourself; add 1001 the same way and call it.

`, i.store.Dir(), i.first.password, token, dataFlag(i.config.Load()), at.Addr(), at.Port(), how)
}

// dataFlag is what the command line needs to find this instance.
func dataFlag(cfg *Config) string {
	if def := defaultConfig(); cfg.Data == def.Data {
		return ""
	}
	return " --data " + cfg.Data
}
