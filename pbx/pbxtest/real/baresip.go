package real

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// patience is how long a program may take on a busy machine to do what it has to.
const patience = 30 * time.Second

// modules is where Debian has baresip's.
const modules = "/usr/lib/baresip/modules"

// registered is what baresip writes when a REGISTER was answered 200.
var registered = regexp.MustCompile(`200 OK \(.*\) \[\d+ binding`)

// Account is what a baresip is set up with.
type Account struct {
	User, Password string
	Server         netip.AddrPort // the PBX; zero: none, calls go straight to a URI
	Transport      string         // "udp" (default) or "tcp"
	Codecs         string         // for the account's audio_codecs; default PCMU,PCMA
	Answer         bool           // answers by itself at once
	Tone           float64        // Hz that it plays
	Lamp           bool           // subscribes to its message-summary once it is registered: see AwaitLamp
}

// Baresip is a running baresip 1.0.
type Baresip struct {
	Addr netip.AddrPort // where it listens for SIP

	t    testing.TB
	dir  string
	p    *process
	conn net.Conn
	late string // account that is added once it runs: its module mwi subscribes for ever if it is registered in its first millisecond

	mu      sync.Mutex
	events  []string
	changed chan struct{}
}

// StartBaresip starts a baresip that registers, if it has a server, and waits until it is registered.
func StartBaresip(t testing.TB, a Account) *Baresip {
	t.Helper()
	Need(t, "baresip")
	b := &Baresip{t: t, dir: t.TempDir(), Addr: Port(t), changed: make(chan struct{})}
	control := Port(t)
	if err := b.configure(a, control); err != nil {
		t.Fatal(err)
	}
	b.p = start(t, b.dir, "baresip", "-f", b.dir, "-v")
	var err error
	for range 100 {
		if b.conn, err = net.Dial("tcp", control.String()); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond) // a child process: nothing else tells
	}
	if err != nil {
		t.Fatalf("baresip does not listen for commands: %v\n%s", err, b.p.out.String())
	}
	t.Cleanup(func() { _ = b.conn.Close() })
	go b.listen()
	if b.late != "" {
		time.Sleep(50 * time.Millisecond) // see late: it does not say when that has passed
		if err := b.Command("uanew", b.late); err != nil {
			t.Fatal(err)
		}
	}
	if a.Server.IsValid() {
		for end := time.Now().Add(patience); !registered.MatchString(b.Log()); {
			if time.Now().After(end) {
				t.Fatalf("baresip has not registered within %v", patience)
			}
			time.Sleep(20 * time.Millisecond) // its event may have come before we were connected
		}
	}
	return b
}

func (b *Baresip) configure(a Account, control netip.AddrPort) error {
	if a.Transport == "" {
		a.Transport = "udp"
	}
	if a.Codecs == "" {
		a.Codecs = "PCMU,PCMA"
	}
	if a.Tone == 0 {
		a.Tone = 440
	}
	tone := filepath.Join(b.dir, "tone.wav")
	if err := writeTone(tone, a.Tone, limit); err != nil {
		return err
	}
	config := fmt.Sprintf(`poll_method epoll
sip_listen %s
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nowhere
audio_source aufile,%s
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_tos 184
rtp_ports 20000-31998
rtcp_mux no
jitter_buffer_delay 5-10
net_interface 127.0.0.1
module_path %s
module g711.so
module g722.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %s
snd_path %s
`, b.Addr, tone, modules, control, b.dir)
	if a.Lamp {
		config += "module_app mwi.so\n"
	}
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;audio_codecs=%s;ptime=20;", a.User, a.Server, a.Transport, a.User, a.Password, a.Codecs)
	if !a.Server.IsValid() {
		account = fmt.Sprintf("<sip:%s@%s;transport=%s>;audio_codecs=%s;ptime=20;regint=0;", a.User, b.Addr, a.Transport, a.Codecs)
	} else {
		account += "regint=300;"
	}
	if a.Lamp {
		account += "mwi=yes;"
	}
	if a.Answer {
		account += "answermode=auto"
	} else {
		account += "answermode=manual"
	}
	if a.Lamp {
		b.late, account = account, "# see Baresip.late"
	}
	for name, text := range map[string]string{"config": config, "accounts": account + "\n", "contacts": ""} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// listen reads events, as netstrings of JSON, until the connection ends.
func (b *Baresip) listen() {
	r := bufio.NewReader(b.conn)
	for {
		head, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
		if err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var e struct {
			Type, Param, Data string
			Response, OK      bool
		}
		_ = json.Unmarshal(body[:n], &e)
		b.mu.Lock()
		if e.Response {
			b.events = append(b.events, "response "+e.Data)
		} else {
			b.events = append(b.events, e.Type+" "+e.Param)
		}
		close(b.changed)
		b.changed = make(chan struct{})
		b.mu.Unlock()
	}
}

// Command gives a command of baresip's menu module: "dial", "accept", "hangup", "hold", "resume" …
func (b *Baresip) Command(command, params string) error {
	text, err := json.Marshal(map[string]string{"command": command, "params": params, "token": "t"})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(b.conn, "%d:%s,", len(text), text)
	return err
}

// Await waits for an event that begins so: CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED …
// An event is returned once only.
func (b *Baresip) Await(event string, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		b.mu.Lock()
		changed := b.changed
		for i, e := range b.events {
			if strings.HasPrefix(e, event) {
				b.events = append(b.events[:i:i], b.events[i+1:]...)
				b.mu.Unlock()
				return nil
			}
		}
		all := strings.Join(b.events, "; ")
		b.mu.Unlock()
		select {
		case <-changed:
		case <-b.p.done:
			return fmt.Errorf("baresip has ended: %v\n%s", b.p.err, tail(b.p.out.String(), 3000))
		case <-timer.C:
			return fmt.Errorf("baresip: no %s within %v; other events: %s", event, d, all)
		}
	}
}

// Dial calls a number at its server, or a URI, and does not wait.
func (b *Baresip) Dial(to string) error { return b.Command("dial", to) }

// Accept answers the call that rings.
func (b *Baresip) Accept() error { return b.Command("accept", "") }

// Hangup ends the call.
func (b *Baresip) Hangup() error { return b.Command("hangup", "") }

// Press sends keys in the call, by RFC 4733, each when the one before was taken.
func (b *Baresip) Press(keys string) error {
	for _, k := range keys {
		if err := b.Command("sndcode", string(k)); err != nil {
			return err
		}
		if err := b.Await("response", patience); err != nil {
			return err
		}
	}
	return nil
}

// Hears waits until the sound that baresip has received, in its newest recording, ends with a second of the tone.
func (b *Baresip) Hears(frequency float64, d time.Duration) error {
	return b.recorded(frequency, d, func(samples []int16, frequency float64, rate int) bool {
		if len(samples) < rate {
			return false
		}
		second := samples[len(samples)-rate:]
		level, all := pbxtest.Level(second, frequency), pbxtest.Loudness(second)
		return level > -30 && level > all-4 // of two as loud as each other, each is 3 dB below both
	})
}

// HasHeard waits until there are 200 ms of the tone, and of nothing else, in what baresip has received in its newest call.
func (b *Baresip) HasHeard(frequency float64, d time.Duration) error {
	return b.recorded(frequency, d, func(samples []int16, frequency float64, rate int) bool {
		for part := rate / 5; len(samples) >= part; samples = samples[part/10:] {
			if level := pbxtest.Level(samples[:part], frequency); level > -30 && level > pbxtest.Loudness(samples[:part])-1 {
				return true
			}
		}
		return false
	})
}

// recorded waits until the newest recording of what baresip has received is as wanted.
func (b *Baresip) recorded(frequency float64, d time.Duration, wanted func(samples []int16, frequency float64, rate int) bool) error {
	last := "nothing was recorded"
	for end := time.Now().Add(d); time.Now().Before(end); {
		if f := b.newest(); f != "" {
			samples, rate, err := readWAV(f)
			switch {
			case err != nil || rate != 8000 && rate != 16000:
				last = fmt.Sprintf("%s: %d Hz, %v", filepath.Base(f), rate, err)
			case wanted(samples, frequency*8000/float64(rate), rate): // Level takes samples to be of 8 kHz
				return nil
			default:
				last = fmt.Sprintf("%d samples at %.0f dB", len(samples), pbxtest.Loudness(samples))
			}
		}
		time.Sleep(100 * time.Millisecond) // another process writes the file
	}
	return fmt.Errorf("baresip does not hear %.0f Hz: %s", frequency, last)
}

// newest is the newest file of what baresip has received, "" if there is none.
func (b *Baresip) newest() string {
	files, _ := filepath.Glob(filepath.Join(b.dir, "dump-*-dec.wav"))
	newest, at := "", time.Time{}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(at) {
			newest, at = f, info.ModTime()
		}
	}
	return newest
}

// AwaitLamp waits until the newest of what baresip was told of its messages says that some wait, or that none do.
func (b *Baresip) AwaitLamp(on bool, d time.Duration) error {
	want := map[bool]string{true: "yes", false: "no"}[on]
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // its event may have come before we were connected
		text := b.Log()
		if i := strings.LastIndex(text, "Messages-Waiting: "); i >= 0 && strings.HasPrefix(text[i:], "Messages-Waiting: "+want+"\r\n") {
			return nil
		}
	}
	return fmt.Errorf("baresip was not told that messages wait: %s", want)
}

// Log is what baresip has written.
func (b *Baresip) Log() string { return b.p.out.String() }
