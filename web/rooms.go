package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noRoom = "There is no conference room of that number."

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
	const path, one, tag = "/rooms", "/rooms/{number}", "rooms"
	register(s, operation("list-rooms", http.MethodGet, path, tag, "List conference rooms by number", 0), s.listRooms)
	register(s, operation("create-room", http.MethodPost, path, tag, "Create a conference room", http.StatusCreated, 409), s.createRoom)
	register(s, operation("get-room", http.MethodGet, one, tag, "Show a conference room", 0, 404), s.getRoom)
	register(s, operation("put-room", http.MethodPut, one, tag,
		"Replace a conference room, or create it (201); PINs that are left out stay, and so does a conference that is up", 0), s.putRoom)
	register(s, operation("remove-room", http.MethodDelete, one, tag, "Remove a conference room; a conference that is up goes on", http.StatusNoContent, 404), s.removeRoom)
}

func (s *Server) listRooms(ctx context.Context, in *extensionsIn) (*answer[page[room]], error) {
	all, err := s.b.Rooms.ListRooms(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noRoom)
	}
	return pageOf(all, in.Limit, shownRoom, func(v pbx.Room) string { return v.Number }), nil
}

func (s *Server) getRoom(ctx context.Context, in *numberPath) (*answer[room], error) {
	r, err := s.b.Rooms.GetRoom(ctx, in.Number)
	if err != nil {
		return nil, s.failed(err, noRoom)
	}
	return &answer[room]{shownRoom(r)}, nil
}

type createRoomIn struct {
	Body    room
	RawBody []byte
}

// pins are those that a body gives.
func (in *createRoomIn) pins() (p pbx.RoomPINs, err error) {
	given, err := sectionsOf(in.RawBody)
	if err != nil {
		return p, err
	}
	none := ""
	if p.PIN = in.Body.PIN; p.PIN == nil && given.has("pin") {
		p.PIN = &none
	}
	if p.Moderator = in.Body.ModeratorPIN; p.Moderator == nil && given.has("moderator_pin") {
		p.Moderator = &none
	}
	return p, nil
}

func (s *Server) createRoom(ctx context.Context, in *createRoomIn) (*keyed[room], error) {
	pins, err := in.pins()
	if err != nil {
		return nil, err
	}
	r, err := s.b.Rooms.CreateRoom(ctx, set(ctx), in.Body.Room, pins)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There is a conference room of that number already.")
	} else if err != nil {
		return nil, s.failed(err, noRoom)
	}
	return &keyed[room]{http.StatusCreated, apiRoot + "/rooms/" + url.PathEscape(r.Number), shownRoom(r)}, nil
}

type putRoomIn struct {
	Number string `path:"number" maxLength:"32" example:"800"`
	createRoomIn
}

// putRoom replaces or creates (RFC 9110 §9.3.4).
func (s *Server) putRoom(ctx context.Context, in *putRoomIn) (*keyed[room], error) {
	if in.Body.Number != in.Number {
		return nil, s.failed(&Invalid{"number", "number must be the one in the address; a room that gets another number is a new one."}, "")
	}
	pins, err := in.pins()
	if err != nil {
		return nil, err
	}
	r, err := s.b.Rooms.ReplaceRoom(ctx, set(ctx), in.Body.Room, pins)
	if errors.Is(err, ErrNotFound) {
		return s.createRoom(ctx, &in.createRoomIn)
	} else if err != nil {
		return nil, s.failed(err, noRoom)
	}
	return &keyed[room]{Status: http.StatusOK, Body: shownRoom(r)}, nil
}

func (s *Server) removeRoom(ctx context.Context, in *numberPath) (*struct{}, error) {
	if err := s.b.Rooms.DeleteRoom(ctx, in.Number); err != nil {
		return nil, s.failed(err, noRoom)
	}
	return nil, nil
}
