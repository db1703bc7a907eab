package mail

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRetry: pauses double up to an hour, and end after two days.
func TestRetry(t *testing.T) {
	var r retry
	if now := evening; !r.due(now) || r.over(now) {
		t.Error("what has not failed is not due")
	}
	now := evening
	var pauses []time.Duration
	for !r.over(now) {
		r.fail(now)
		pauses = append(pauses, r.next.Sub(now))
		if r.due(r.next.Add(-1)) || !r.due(r.next) {
			t.Error("not due when it is")
		}
		now = r.next
	}
	m := time.Minute
	if want := []time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 60 * m, 60 * m}; !slices.Equal(pauses[:8], want) || slices.Max(pauses) != time.Hour {
		t.Error(pauses)
	}
	if d := now.Sub(evening); d < giveUp || d > giveUp+time.Hour {
		t.Error("given up after", d)
	}
}

// rig is a Mailer and its server, in virtual time.
type rig struct {
	*testing.T
	*Mailer
	*office
	*pipes
	log   *logged
	start time.Time
}

// with runs f in a bubble with a Mailer that has been started.
func with(t *testing.T, s *shelf, set func(*rig), f func(*rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, office: newOffice(), pipes: newPipes(), log: new(logged), start: time.Now()}
		m, err := New(Options{Server: "127.0.0.1:25", From: "pbx@example.com", Log: r.log.logger(), Messages: s, Mailbox: mailbox})
		if err != nil {
			t.Fatal(err)
		}
		r.Mailer, m.dial = m, r.pipes.dial
		if set != nil {
			set(r)
		}
		r.serve(r.pipes)
		m.Start()
		synctest.Wait()
		f(r)
		m.Close()
		r.office.close()
	})
}

// Close is the Mailer's.
func (r *rig) Close() { r.Mailer.Close() }

// sentTo is who got mail, in order.
func (r *rig) sentTo() (all []string) {
	for _, m := range r.got() {
		all = append(all, m.to)
	}
	return all
}

// TestSentAtOnce: a message is sent as its mailbox says that it changed, once.
func TestSentAtOnce(t *testing.T) {
	s := newShelf()
	with(t, s, nil, func(r *rig) {
		s.add(message("1", "1000"), wav(10))
		r.Changed("1000")
		synctest.Wait()
		if got := r.sentTo(); !slices.Equal(got, []string{"alice@example.com"}) || !s.isMailed("1") {
			t.Fatal(got, r.log)
		}
		for range 5 {
			r.Changed("1000")
			synctest.Wait()
		}
		time.Sleep(72 * time.Hour)
		if got := r.sentTo(); len(got) != 1 || r.Stats() != (Stats{Sent: 1}) {
			t.Error(got, r.Stats())
		}
	})
}

// TestGreylisting: what is refused for now is tried again, and others are not kept waiting.
func TestGreylisting(t *testing.T) {
	s := newShelf(message("1", "1000"), message("2", "1001"))
	with(t, s, func(r *rig) {
		r.refuse = func(step, to string, _ int) error {
			if step == "RCPT" && to == "alice@example.com" && time.Since(r.start) < 10*time.Minute {
				return reply(451, "try again later")
			}
			return nil
		}
	}, func(r *rig) {
		if got := r.sentTo(); !slices.Equal(got, []string{"bob@example.com"}) || r.Stats() != (Stats{Sent: 1, Waiting: 1}) {
			t.Error(got, r.Stats())
		}
		time.Sleep(time.Hour)
		if got := r.sentTo(); !slices.Equal(got, []string{"bob@example.com", "alice@example.com"}) || r.Stats() != (Stats{Sent: 2}) {
			t.Error(got, r.Stats())
		}
		m := time.Minute
		if at := r.at(r.start); !slices.Equal(at, []time.Duration{0, 0, m, 3 * m, 7 * m, 15 * m}) {
			t.Error(at)
		}
		if log := r.log.String(); strings.Count(log, "cannot be sent by e-mail yet") != 4 || !strings.Contains(log, "451 try again later") {
			t.Error(log)
		}
	})
}

// TestServerDown: while the server is down it is asked by growing pauses, once for all messages; then all are sent.
func TestServerDown(t *testing.T) {
	s := newShelf(ids("a", "1001", 5)...)
	with(t, s, func(r *rig) { r.set(true) }, func(r *rig) {
		time.Sleep(20 * time.Minute)
		s.add(message("new", "1000"), wav(1))
		r.Changed("1000") // does not shorten the pause
		synctest.Wait()
		m := time.Minute
		if at := r.at(r.start); !slices.Equal(at, []time.Duration{0, m, 3 * m, 7 * m, 15 * m}) || r.Stats() != (Stats{Waiting: 6}) {
			t.Error(at, r.Stats())
		}
		r.set(false)
		time.Sleep(11*m + time.Second)
		if got := r.got(); len(got) != 6 || r.Stats() != (Stats{Sent: 6}) {
			t.Error(len(got), r.Stats())
		}
		if at := r.at(r.start); at[5] != 31*m || at[10] != 31*m {
			t.Error(at)
		}
		r.set(true) // it counts from the beginning again
		s.add(message("newer", "1000"), wav(1))
		r.Changed("1000")
		time.Sleep(time.Minute + time.Second)
		if at := r.at(r.start); len(at) != 13 || at[12]-at[11] != m {
			t.Error(at)
		}
	})
}

// TestGivenUp: after two days, or at once where the server says no.
func TestGivenUp(t *testing.T) {
	t.Run("down for days", func(t *testing.T) {
		s := newShelf(message("1", "1000"))
		with(t, s, func(r *rig) { r.set(true) }, func(r *rig) {
			time.Sleep(47 * time.Hour)
			s.add(message("2", "1000"), wav(1))
			r.Changed("1000")
			synctest.Wait()
			if r.Stats() != (Stats{Waiting: 2}) {
				t.Error(r.Stats())
			}
			time.Sleep(2 * time.Hour)
			if r.Stats() != (Stats{Failed: 1, Waiting: 1}) || !s.isMailed("1") || s.isMailed("2") {
				t.Error(r.Stats())
			}
			if log := r.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "connection refused") {
				t.Error(log)
			}
			r.set(false)
			time.Sleep(time.Hour)
			if r.Stats() != (Stats{Sent: 1, Failed: 1}) {
				t.Error(r.Stats())
			}
		})
	})
	for _, step := range []string{"RCPT", "DATA"} {
		t.Run(step, func(t *testing.T) {
			s := newShelf(message("1", "1000"), message("2", "1001"))
			with(t, s, func(r *rig) {
				r.refuse = func(at, to string, _ int) error {
					if at == step && to == "alice@example.com" {
						return reply(550, "no such \x1b[31muser\nhere")
					}
					return nil
				}
			}, func(r *rig) {
				if got := r.sentTo(); !slices.Equal(got, []string{"bob@example.com"}) || r.Stats() != (Stats{Sent: 1, Failed: 1}) || !s.isMailed("1") {
					t.Error(got, r.Stats())
				}
				if log := r.log.String(); strings.Count(log, "level=ERROR") != 1 || strings.Contains(log, "\x1b") {
					t.Error(log)
				}
			})
		})
	}
	t.Run("MAIL", func(t *testing.T) { // which is about us, not about a message
		s := newShelf(message("1", "1000"), message("2", "1001"))
		with(t, s, func(r *rig) {
			r.refuse = func(at, _ string, n int) error {
				if at == "MAIL" && n == 1 {
					return reply(550, "not from here")
				}
				return nil
			}
		}, func(r *rig) {
			if r.Stats() != (Stats{Waiting: 2}) {
				t.Error(r.Stats())
			}
			time.Sleep(time.Minute + time.Second)
			if r.Stats() != (Stats{Sent: 2}) {
				t.Error(r.Stats())
			}
		})
	})
}

// TestRestart: what was not sent is sent by the next Mailer, and what was is not.
func TestRestart(t *testing.T) {
	s := newShelf(message("1", "1000"), message("2", "1001"))
	with(t, s, func(r *rig) {
		r.refuse = func(step, to string, _ int) error {
			if to == "bob@example.com" {
				return reply(452, "full")
			}
			return nil
		}
	}, func(r *rig) {})
	with(t, s, nil, func(r *rig) {
		if got := r.sentTo(); !slices.Equal(got, []string{"bob@example.com"}) {
			t.Error(got)
		}
	})
}

// TestWhoGetsMail: heard ones go, deleted ones do not, and who has no address gets none later either.
func TestWhoGetsMail(t *testing.T) {
	heard, gone, nobody, removed := message("1", "1001"), message("2", "1001"), message("3", "1002"), message("4", "1009")
	heard.Heard = true
	s := newShelf(heard, gone, nobody, removed)
	delete(s.sounds, "2")
	with(t, s, nil, func(r *rig) {
		if got := r.sentTo(); !slices.Equal(got, []string{"bob@example.com"}) || r.Stats() != (Stats{Sent: 1}) {
			t.Error(got, r.Stats())
		}
		for _, id := range []string{"1", "2", "3", "4"} {
			if !s.isMailed(id) {
				t.Error(id, "is not marked")
			}
		}
	})
	t.Run("no server", func(t *testing.T) {
		s := newShelf(message("1", "1000"))
		m, err := New(Options{Messages: s, Mailbox: mailbox})
		if err != nil {
			t.Fatal(err)
		}
		if next := m.round(t.Context()); !next.IsZero() || !s.isMailed("1") || m.Stats() != (Stats{}) {
			t.Error(next, m.Stats())
		}
	})
}

// TestDeleteSent: a message is deleted once the server has it, and not before.
func TestDeleteSent(t *testing.T) {
	s := newShelf(message("1", "1003"), message("2", "1000"))
	with(t, s, func(r *rig) {
		r.refuse = func(step, to string, n int) error {
			if step == "DATA" && n == 1 {
				return reply(451, "not now")
			}
			return nil
		}
	}, func(r *rig) {
		if len(s.deleted()) != 0 {
			t.Error("deleted before it was sent")
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if !slices.Equal(s.deleted(), []string{"1"}) || !strings.Contains(string(r.got()[1].data), "It is not kept in the mailbox.") {
			t.Error(s.deleted(), r.Stats())
		}
	})
}

// TestMarkFails: a message whose mark cannot be written is not sent twice.
func TestMarkFails(t *testing.T) {
	s := newShelf(message("1", "1000"))
	s.noMark = 3
	with(t, s, nil, func(r *rig) {
		time.Sleep(time.Hour)
		if got := r.got(); len(got) != 1 || !s.isMailed("1") || r.Stats() != (Stats{Sent: 1}) {
			t.Error(len(got), r.Stats())
		}
	})
}

// TestCutSound: half a sound is not half a mail.
func TestCutSound(t *testing.T) {
	s := newShelf(message("1", "1000"))
	s.sounds["1"] = wav(50_000)
	s.broken = errors.New("input/output error")
	with(t, s, nil, func(r *rig) {
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := r.got(); len(got) != 0 || r.Stats() != (Stats{Waiting: 1}) || r.half() != 1 {
			t.Error(len(got), r.Stats(), r.half())
		}
		if log := r.log.String(); !strings.Contains(log, "input/output error") {
			t.Error(log)
		}
		s.mu.Lock()
		s.broken = nil
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if got := r.got(); len(got) != 1 {
			t.Error(len(got))
		}
	})
}

// TestDefect: a panic costs an attempt, not the process.
func TestDefect(t *testing.T) {
	s := newShelf(message("1", "1000"))
	s.defect = true
	with(t, s, nil, func(r *rig) {
		if r.Stats() != (Stats{Waiting: 1}) || !strings.Contains(r.log.String(), "panic") {
			t.Error(r.Stats(), r.log)
		}
		s.mu.Lock()
		s.defect = false
		s.mu.Unlock()
		time.Sleep(time.Minute + time.Second)
		if r.Stats() != (Stats{Sent: 1}) {
			t.Error(r.Stats())
		}
	})
}

// TestCloseMeanwhile: a message that the server takes while Close has come is noted as sent.
func TestCloseMeanwhile(t *testing.T) {
	s := newShelf(message("1", "1000"))
	s.slowMark = time.Second
	with(t, s, nil, func(r *rig) {
		r.Close() // the server has it, the mark is being written
		if !s.isMailed("1") || len(r.got()) != 1 {
			t.Error(s.isMailed("1"), len(r.got()))
		}
	})
}

// mute is a server that says what it is told to, and then nothing.
func mute(lines string) func(*rig) {
	return func(r *rig) {
		go func() {
			for {
				c, err := r.pipes.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					go io.Copy(io.Discard, c)
					for line := range strings.SplitSeq(lines, "\n") {
						if line == "" {
							break
						}
						if _, err := io.WriteString(c, line+"\r\n"); err != nil {
							return
						}
					}
					<-r.pipes.done
				}()
			}
		}()
	}
}

// silent has a server that is not ours to close. The Mailer must come back from it.
func silent(t *testing.T, lines string, f func(*rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, pipes: newPipes(), log: new(logged), start: time.Now()}
		m, err := New(Options{Server: "127.0.0.1:25", From: "pbx@example.com", Log: r.log.logger(), Messages: newShelf(message("1", "1000")), Mailbox: mailbox})
		if err != nil {
			t.Fatal(err)
		}
		r.Mailer, m.dial = m, r.pipes.dial
		mute(lines)(r)
		m.Start()
		synctest.Wait()
		f(r)
		m.Close()
		r.pipes.Close()
	})
}

// TestSilentServer: one that says no more costs a time that has an end, and Close does not wait for it.
func TestSilentServer(t *testing.T) {
	for name, lines := range map[string]string{
		"nothing":      "",
		"greeting":     "220 mx",
		"half a reply": "220 mx\n250-mx",
		"data":         "220 mx\n250 mx\n250 ok\n250 ok\n354 go on",
	} {
		t.Run(name, func(t *testing.T) {
			silent(t, lines, func(r *rig) {
				time.Sleep(endTime + 5*time.Minute)
				if n := len(r.at(r.start)); n < 2 || r.Stats() != (Stats{Waiting: 1}) {
					t.Error(n, "attempts", r.Stats(), r.log)
				}
			})
		})
		t.Run(name+", closed", func(t *testing.T) {
			silent(t, lines, func(r *rig) {
				before := time.Now()
				r.Close()
				if d := time.Since(before); d != 0 {
					t.Error("Close took", d)
				}
			})
		})
	}
	t.Run("too much", func(t *testing.T) {
		silent(t, strings.Repeat("220-mx "+strings.Repeat("x", 1000)+"\n", 1000), func(r *rig) {
			if log := r.log.String(); !strings.Contains(log, errTalkative.Error()) || len(log) > 2000 {
				t.Error(len(log), log[:min(len(log), 2000)])
			}
		})
	})
}
