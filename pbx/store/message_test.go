package store

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"ringback/pbx"
)

func aMessage(i int) pbx.VoiceMessage {
	return pbx.VoiceMessage{
		ID: id36(i), Mailbox: "1000", Call: "call", From: "1001", FromName: "Alice Müller", At: time.Unix(1_000_000_000+int64(i), 123456789).UTC(),
		Length: time.Duration(i) * time.Second,
	}
}

func id36(i int) string { return "00000000000" + string(rune('a'+i/26)) + string(rune('a'+i%26)) }

func TestMessages(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	ctx := t.Context()
	save := func(m pbx.VoiceMessage, done bool) {
		t.Helper()
		if err := s.SaveMessage(ctx, m, done); err != nil {
			t.Fatal(err)
		}
	}
	var all []pbx.VoiceMessage
	for i := range 8 {
		m := aMessage(i)
		m.Heard, m.Urgent = i&1 != 0, i&2 != 0
		all = append(all, m)
		save(m, false)
	}
	other := aMessage(8)
	other.Mailbox, other.From, other.FromName = "2000", "", "\x00\xff'; DROP TABLE messages; --"
	save(other, true)
	if list, err := s.ListMessages(ctx, "1000"); err != nil || len(list) != 0 {
		t.Fatal("what is not done is no message:", list, err)
	}
	if _, err := s.GetMessage(ctx, all[0].ID); !errors.Is(err, pbx.ErrNoSuchSound) {
		t.Fatal(err)
	}
	if err := s.MarkMailed(ctx, all[0].ID); !errors.Is(err, pbx.ErrNoSuchSound) {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Length = time.Minute
		save(all[i], true)
	}
	_ = s.Close()
	s = open(t, dir, Options{})
	list, err := s.ListMessages(ctx, "1000")
	if err != nil {
		t.Fatal(err)
	}
	want := []pbx.VoiceMessage{all[2], all[6], all[0], all[4], all[3], all[7], all[1], all[5]} // new, urgent, then the oldest
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got  %+v\nwant %+v", list, want)
	}
	if got, err := s.GetMessage(ctx, other.ID); err != nil || got.Mailbox != "2000" || got.From != "" || got.FromName != "\uFFFD\uFFFD'; DROP TABLE messages; --" {
		t.Errorf("%+v %v", got, err)
	}

	for _, id := range []string{all[0].ID, all[1].ID, all[1].ID} {
		if err := s.MarkMailed(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	all[0].Heard = true
	save(all[0], true) // stays mailed
	unmailed, err := s.ListUnmailed(ctx)
	if err != nil || len(unmailed) != 7 || unmailed[0].ID != all[2].ID || unmailed[6].ID != other.ID {
		t.Errorf("%+v %v", unmailed, err)
	}
	if err := s.MarkMailed(ctx, "nope"); !errors.Is(err, pbx.ErrNoSuchSound) {
		t.Error(err)
	}

	if err := errors.Join(s.DeleteMessages(ctx), s.DeleteMessages(ctx, all[3].ID, "nope", all[4].ID)); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := s.EachMessage(ctx, func(m pbx.VoiceMessage, done bool) {
		if left = append(left, m.ID); !done {
			t.Error("not done:", m)
		}
	}); err != nil || len(left) != 7 || !slices.IsSorted(left) {
		t.Error(left, err)
	}
}
