package web

import (
	"context"
	"slices"

	"ringback/pbx"
)

func (m *memory) ListRooms(_ context.Context, after string, limit int) ([]pbx.Room, error) {
	return sorted(m.rooms, after, limit), m.broken
}

func (m *memory) GetRoom(_ context.Context, number string) (pbx.Room, error) {
	if r, ok := m.rooms[number]; ok {
		return r, nil
	}
	return pbx.Room{}, ErrNotFound
}

func (m *memory) CreateRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return m.keepRoom(ctx, by, r, pins, false)
}

func (m *memory) ReplaceRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return m.keepRoom(ctx, by, r, pins, true)
}

func (m *memory) keepRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs, there bool) (_ pbx.Room, err error) {
	r.PINHash, r.ModeratorPINHash = m.rooms[r.Number].PINHash, m.rooms[r.Number].ModeratorPINHash
	for hash, pin := range map[*string]*string{&r.PINHash: pins.PIN, &r.ModeratorPINHash: pins.Moderator} {
		switch {
		case pin == nil:
		case *pin == "":
			*hash = ""
		default:
			if *hash, err = m.HashPIN(ctx, *pin); err != nil {
				return r, err
			}
		}
	}
	return kept(m, m.rooms, r.Number, r, there, by)
}

func (m *memory) DeleteRoom(_ context.Context, number string) error {
	if _, ok := m.rooms[number]; !ok {
		return ErrNotFound
	}
	delete(m.rooms, number)
	return nil
}

func (m *memory) Conferences() []pbx.ConferenceInfo { return m.up }

func (m *memory) LockConference(room string, locked bool) bool {
	for i := range m.up {
		if m.up[i].Number == room {
			m.up[i].Locked = locked
			return true
		}
	}
	return false
}

func (m *memory) MuteMember(room, call string, muted bool) bool {
	for _, c := range m.up {
		for i := range c.Members {
			if c.Number == room && c.Members[i].Call == call {
				c.Members[i].Muted = muted
				return true
			}
		}
	}
	return false
}

func (m *memory) RemoveMember(room, call string) bool {
	for i := range m.up {
		c := &m.up[i]
		before := len(c.Members)
		if c.Number == room {
			c.Members = slices.DeleteFunc(c.Members, func(x pbx.MemberInfo) bool { return x.Call == call })
		}
		if len(c.Members) < before {
			return true
		}
	}
	return false
}
