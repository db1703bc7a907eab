package archive

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"ringback/pbx"
)

// ids makes them: 11 characters of the time in µs and 5 at random, all of them [0-9a-z].
type ids struct {
	mu   sync.Mutex
	last int64
}

const (
	digits36  = "0123456789abcdefghijklmnopqrstuvwxyz"
	timeChars = 11
	idChars   = timeChars + 5
)

// next is unique in this process, and greater than all before.
func (i *ids) next() string {
	i.mu.Lock()
	i.last = max(i.last+1, time.Now().UnixMicro())
	n := i.last
	i.mu.Unlock()
	var id [idChars]byte
	_, _ = rand.Read(id[timeChars:])
	for k := timeChars; k < idChars; k++ {
		id[k] = digits36[int(id[k])%len(digits36)]
	}
	for k := timeChars - 1; k >= 0; k-- {
		id[k] = digits36[n%36]
		n /= 36
	}
	return string(id[:])
}

// isID reports whether a name can be one of ids.
func isID(name string) bool {
	return len(name) == idChars && strings.Trim(name, digits36) == ""
}

// isNumber reports whether a name can be the number of a mailbox.
func isNumber(name string) bool {
	return name != "" && len(name) <= 32 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("*#+._-", r)
	})
}

func isGreeting(g pbx.Greeting) bool {
	return g == pbx.GreetUnavailable || g == pbx.GreetBusy || g == pbx.GreetName
}

// The places of things below the data directory, with slashes.
const (
	recordingsDir = "recordings"
	mailboxesDir  = "mailboxes"
	lostDir       = "lost"
	whole         = ".wav"
	part          = ".wav.part"
	greetingName  = "greeting-"
)

// boxDir is the folder of a mailbox, whose number isNumber.
func boxDir(mailbox string) string { return mailboxesDir + "/" + escape(mailbox) }

func escape(mailbox string) string {
	var b strings.Builder
	for _, c := range []byte(mailbox) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '+' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// unescape is the mailbox of a folder, "" if it is none.
func unescape(folder string) string {
	var b strings.Builder
	for i := 0; i < len(folder); i++ {
		c := folder[i]
		if c == '%' {
			if _, err := fmt.Sscanf(folder[i:], "%%%02x", &c); err != nil {
				return ""
			}
			i += 2
		}
		b.WriteByte(c)
	}
	if mailbox := b.String(); isNumber(mailbox) && escape(mailbox) == folder {
		return mailbox
	}
	return ""
}

func recordingPath(id string) string { return recordingsDir + "/" + id }

func messagePath(mailbox, id string) string { return boxDir(mailbox) + "/" + id }

func greetingPath(mailbox string, g pbx.Greeting) string {
	return boxDir(mailbox) + "/" + greetingName + string(g) + whole
}
