package web

import (
	"context"

	"ringback/pbx"
)

// room is a pbx.Room as the API shows and takes it: everything but the hashes of its PINs.
type room struct {
	pbx.Room
	PINHash          struct{} `json:"-"` // these hide the fields of the same name from the API's description; shownRoom clears their values
	ModeratorPINHash struct{} `json:"-"`
	HasPIN           bool     `json:"has_pin" readOnly:"true" doc:"A PIN is asked for."`
	HasModeratorPIN  bool     `json:"has_moderator_pin" readOnly:"true" doc:"Moderators have a PIN of their own; if not, everybody is a moderator."`
	PIN              *string  `json:"pin,omitempty" writeOnly:"true" maxLength:"64" example:"4711" doc:"New PIN, 4 to 12 digits. Left out: it stays as it is; null or \"\" takes it away. It cannot be read."`
	ModeratorPIN     *string  `json:"moderator_pin,omitempty" writeOnly:"true" maxLength:"64" example:"0815" doc:"New PIN of moderators, likewise. It must be another one than pin."`
}

func shownRoom(r pbx.Room) room {
	s := room{Room: r, HasPIN: r.PINHash != "", HasModeratorPIN: r.ModeratorPINHash != ""}
	s.Room.PINHash, s.Room.ModeratorPINHash = "", ""
	return s
}

func (s *Server) roomRoutes() {
	b := s.b.Rooms
	numbered(s, &documents[pbx.Room, room]{path: "/rooms", name: "room", a: "a conference room", many: "conference rooms",
		put: "; PINs that are left out stay, and so does a conference that is up", remove: "; a conference that is up goes on",
		missing: "There is no conference room of that number.", exists: "There is a conference room of that number already.",
		moved: "a room that gets another number is a new one.",
		key:   func(r pbx.Room) string { return r.Number }, of: func(r *room) (field, key string) { return "number", r.Number }, show: shownRoom,
		all: b.ListRooms, get: b.GetRoom, create: withRoomPINs(b.CreateRoom), replace: withRoomPINs(b.ReplaceRoom), drop: b.DeleteRoom}, "800")
}

func withRoomPINs(f func(context.Context, pbx.Set, pbx.Room, pbx.RoomPINs) (pbx.Room, error)) func(context.Context, pbx.Set, *body[room]) (pbx.Room, error) {
	return func(ctx context.Context, by pbx.Set, in *body[room]) (none pbx.Room, err error) {
		given, err := sectionsOf(in.RawBody)
		if err != nil {
			return none, err
		}
		return f(ctx, by, in.Body.Room, pbx.RoomPINs{PIN: given.pin("pin", in.Body.PIN), Moderator: given.pin("moderator_pin", in.Body.ModeratorPIN)})
	}
}

// pin is one that a body gives: null is "", which takes it away.
func (s sections) pin(name string, decoded *string) *string {
	if decoded == nil && s.has(name) {
		decoded = new(string)
	}
	return decoded
}
