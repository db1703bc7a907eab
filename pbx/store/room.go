package store

import (
	"context"
	"time"

	"ringback/pbx"
)

// ListRooms returns up to limit conference rooms (0: all) in the order of their numbers, those after a number only. They
// are copies.
func (s *Store) ListRooms(_ context.Context, after string, limit int) ([]pbx.Room, error) {
	return rooms.list(s, after, limit), nil
}

// GetRoom returns a copy of one conference room, or ErrNotFound.
func (s *Store) GetRoom(_ context.Context, number string) (pbx.Room, error) {
	return rooms.get(s, number)
}

// CreateRoom adds a conference room. Name is the number if it is left out. The hashes of r count for nothing, pins are its
// PINs. by is who does it. Errors: *ValidationError, ErrExists.
func (s *Store) CreateRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return s.saveRoom(ctx, by, r, pins, false)
}

// ReplaceRoom changes the conference room of r.Number as a whole, but for PINs that are not given. Whoever is in its
// conference stays. Errors: *ValidationError, ErrNotFound.
func (s *Store) ReplaceRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return s.saveRoom(ctx, by, r, pins, true)
}

func (s *Store) saveRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs, replace bool) (pbx.Room, error) {
	s.rooms.Lock()
	defer s.rooms.Unlock()
	r = clone(r)
	if r.Name == "" {
		r.Name = r.Number
	}
	var was pbx.Room
	if old := s.Room(r.Number); old != nil && replace {
		was = *old
	}
	r.PINHash, r.ModeratorPINHash = was.PINHash, was.ModeratorPINHash
	if err := s.setRoomPINs(ctx, &r, pins); err != nil {
		return pbx.Room{}, err
	}
	err := rooms.save(ctx, s, &r, replace, func(d *draft, old *pbx.Room) error {
		newMarker(by).room(old, &r)
		v := validator{d: &d.directory}
		return v.room(&r)
	})
	if err != nil {
		return pbx.Room{}, err
	}
	return r, nil
}

// setRoomPINs puts the hashes of new PINs in. Two that are the same would make everybody a moderator.
func (s *Store) setRoomPINs(ctx context.Context, r *pbx.Room, pins pbx.RoomPINs) error {
	given := func(field string, pin *string) error {
		if pin == nil || *pin == "" || checkPIN(*pin) == nil {
			return nil
		}
		return invalid(field, "A PIN has 4 to 12 digits.")
	}
	if err := first(given("pin", pins.PIN), given("moderator_pin", pins.Moderator)); err != nil {
		return err
	}
	if p, m := pins.PIN, pins.Moderator; p != nil && m != nil && *p != "" && *p == *m {
		return samePINs("moderator_pin")
	}
	set := func(field string, hash *string, pin *string, other string, otherGiven bool) (err error) {
		switch {
		case pin == nil:
		case *pin == "":
			*hash = ""
		default:
			same := false
			failed := s.hash(ctx, func() {
				if same = other != "" && !otherGiven && verifyPassword(other, *pin); !same {
					*hash = hashPassword(*pin)
				}
			})
			if same {
				return samePINs(field)
			}
			return failed
		}
		return nil
	}
	return first(set("pin", &r.PINHash, pins.PIN, r.ModeratorPINHash, pins.Moderator != nil),
		set("moderator_pin", &r.ModeratorPINHash, pins.Moderator, r.PINHash, pins.PIN != nil))
}

func samePINs(field string) error {
	return invalid(field, "The PIN and the moderator's PIN must not be the same.")
}

// DeleteRoom removes a conference room. A conference that is up in it goes on until all have left. Errors: ErrNotFound.
func (s *Store) DeleteRoom(ctx context.Context, number string) error {
	return rooms.remove(ctx, s, number, nil)
}

// CheckRoomPIN implements pbx.Settings. It takes twice the time of CheckPIN, the same whichever PIN it is and whether there are
// any, and after as many wrong ones every one is wrong for as long.
func (s *Store) CheckRoomPIN(ctx context.Context, room, pin string) (ok, moderator bool) {
	if checkPIN(pin) != nil {
		return false, false
	}
	var member, chair string
	if r := s.Room(room); r != nil {
		member, chair = r.PINHash, r.ModeratorPINHash
	}
	right := func(hash string) (ok bool) {
		set := hash != ""
		if !set {
			hash = nobody
		}
		err := s.hash(ctx, func() { ok = verifyPassword(hash, pin) })
		return ok && set && err == nil
	}
	ok, moderator = right(member), right(chair)
	switch {
	case ctx.Err() != nil || member == "" && chair == "":
		return false, false
	case !s.pins.judge("room "+room, ok || moderator, time.Now()):
		return false, false
	case chair == "": // everybody is one
		moderator = true
	}
	return true, moderator
}
