package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

const noRecording = "There is no recording of that ID."

func (s *Server) recordingRoutes() {
	const path, one, tag = "/recordings", "/recordings/{id}", "recordings"
	register(s, operation("list-recordings", http.MethodGet, path, tag, "List the recordings that are kept, newest first", 0), s.listRecordings)
	register(s, operation("get-recording", http.MethodGet, one, tag, "Show a recording", 0, 404), s.getRecording)
	register(s, operation("remove-recording", http.MethodDelete, one, tag, "Remove a recording", http.StatusNoContent, 404), s.removeRecording)
	register(s, hearing(operation("hear-recording", http.MethodGet, one+"/sound", tag,
		"Hear a recording, as a WAV file of 8 kHz or ranges of its bytes: the caller is left and the called party right, a conference in one channel", 0)), s.hearRecording)
	const call, room = "/calls/{id}/recording", "/conferences/{number}/recording"
	register(s, operation("record-call", http.MethodPut, call, "calls", "Record a call from now on", http.StatusNoContent, 404, 409), s.recordCall)
	register(s, operation("end-recording", http.MethodDelete, call, "calls", "Record a call no longer; what was recorded is kept", http.StatusNoContent, 404, 409), s.endRecording)
	register(s, operation("record-conference", http.MethodPut, room, "conferences", "Record a conference from now on", http.StatusNoContent, 404, 409), s.recordConference)
	register(s, operation("end-conference-recording", http.MethodDelete, room, "conferences", "Record a conference no longer; what was recorded is kept", http.StatusNoContent, 404, 409), s.endConferenceRecording)
}

type recordingsIn struct {
	Call   string    `query:"call" maxLength:"64" doc:"Only those of the call of this ID, as its record has it."`
	Number string    `query:"number" maxLength:"64" doc:"Only those of calls from or to this number."`
	Room   string    `query:"room" maxLength:"32" doc:"Only those of conferences in the room of this number."`
	Since  time.Time `query:"since" doc:"Only those that began then or later (RFC 3339)."`
	Until  time.Time `query:"until" doc:"Only those that began before (RFC 3339)."`
	After  string    `query:"after" maxLength:"64" doc:"next of the page before."`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items a page."`
}

func (s *Server) listRecordings(ctx context.Context, in *recordingsIn) (*answer[page[pbx.Recording]], error) {
	all, err := s.b.Recordings.Recordings(ctx, pbx.RecordingFilter(*in))
	if err != nil {
		return nil, s.failed(err, noRecording)
	}
	return pageOf(all, in.Limit, same, func(r pbx.Recording) string { return r.ID }), nil
}

func (s *Server) getRecording(ctx context.Context, in *idPath) (*answer[pbx.Recording], error) {
	r, err := s.b.Recordings.GetRecording(ctx, in.ID)
	if err != nil {
		return nil, s.failed(err, noRecording)
	}
	return &answer[pbx.Recording]{r}, nil
}

func (s *Server) removeRecording(ctx context.Context, in *idPath) (*struct{}, error) {
	if err := s.b.Recordings.RemoveRecording(ctx, in.ID); err != nil {
		return nil, s.failed(err, noRecording)
	}
	return nil, nil
}

func (s *Server) hearRecording(_ context.Context, in *idPath) (*huma.StreamResponse, error) {
	file, size, modified, err := s.b.Recordings.OpenRecording(in.ID)
	if err != nil {
		return nil, s.failed(err, noRecording)
	}
	return sound{file, size, modified}.play(in.ID), nil
}

func (s *Server) recordCall(ctx context.Context, in *idPath) (*struct{}, error) {
	return nil, s.recorder(s.b.Recorder.StartRecording(in.ID, set(ctx).By), true)
}

func (s *Server) endRecording(ctx context.Context, in *idPath) (*struct{}, error) {
	return nil, s.recorder(s.b.Recorder.StopRecording(in.ID, set(ctx).By), false)
}

func (s *Server) recordConference(ctx context.Context, in *numberPath) (*struct{}, error) {
	return nil, s.recorder(s.b.Recorder.RecordConference(in.Number, true, set(ctx).By), true)
}

func (s *Server) endConferenceRecording(ctx context.Context, in *numberPath) (*struct{}, error) {
	return nil, s.recorder(s.b.Recorder.RecordConference(in.Number, false, set(ctx).By), false)
}

// recorder is an error of the Recorder. What is as it was to be is none: PUT and DELETE may be repeated (RFC 9110 §9.2.2).
func (s *Server) recorder(err error, on bool) error {
	switch {
	case err == nil, on && errors.Is(err, pbx.ErrRecorded):
		return nil
	case !on && errors.Is(err, pbx.ErrNotRecorded):
		return huma.Error404NotFound(sentence(err))
	case errors.Is(err, pbx.ErrNoSuchCall):
		return huma.Error404NotFound("There is no call of that ID now.")
	case errors.Is(err, pbx.ErrNoConference):
		return huma.Error404NotFound("There is no conference in a room of that number now.")
	case errors.Is(err, pbx.ErrNotConnected), errors.Is(err, pbx.ErrNoRecordings), errors.Is(err, pbx.ErrManyRecorded):
		return huma.Error409Conflict(sentence(err))
	}
	return s.failed(err, "")
}

// sentence is an error for people.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
