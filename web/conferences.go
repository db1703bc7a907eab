package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

// conference is pbx.ConferenceInfo as the API shows it.
type conference struct {
	Number   string    `json:"number" doc:"Of the room."`
	Name     string    `json:"name" doc:"Of the room."`
	Since    time.Time `json:"since" doc:"When the first member came."`
	Locked   bool      `json:"locked" doc:"Nobody but moderators gets in any more; nobody at all where moderators need no PIN."`
	Recorded bool      `json:"recorded" doc:"It is being recorded now."`
	Members  []member  `json:"members" nullable:"false" doc:"In the order in which they came."`
}

type member struct {
	Call      string    `json:"call" doc:"ID of the call by which he came, as in /calls."`
	From      string    `json:"from" doc:"Number of the caller."`
	FromName  string    `json:"from_name,omitempty" doc:"Display name of the caller."`
	Since     time.Time `json:"since" doc:"When he came."`
	Moderator bool      `json:"moderator" doc:"He may lock the conference, and mute and remove others."`
	Muted     bool      `json:"muted" doc:"Nobody hears him."`
	Speaking  bool      `json:"speaking" doc:"He speaks now."`
}

func (s *Server) conferenceRoutes() {
	const path, one, other, tag = "/conferences", "/conferences/{number}", "/conferences/{number}/members/{call}", "conferences"
	register(s, operation("list-conferences", http.MethodGet, path, tag, "List the conferences that are up, by number", 0), s.listConferences)
	register(s, operation("change-conference", http.MethodPatch, one, tag, "Lock a conference, or open it again", 0, 404), s.changeConference)
	register(s, operation("change-member", http.MethodPatch, other, tag, "Mute a member, or let the others hear him again", 0, 404), s.changeMember)
	register(s, operation("remove-member", http.MethodDelete, other, tag, "Send a member out: he hears why, then his call ends", http.StatusNoContent, 404), s.removeMember)
}

// conferences are those that are up, of one number, or all ("").
func (s *Server) conferences(number string) []conference {
	all := make([]conference, 0)
	for _, c := range s.b.Conferences.Conferences() {
		if number != "" && c.Number != number {
			continue
		}
		all = append(all, showConference(c))
	}
	return all
}

func showConference(c pbx.ConferenceInfo) conference {
	members := make([]member, 0, len(c.Members))
	for _, m := range c.Members {
		members = append(members, member{m.Call, m.From.Number, m.From.Name, m.Since, m.Moderator, m.Muted, m.Speaking})
	}
	return conference{c.Number, c.Name, c.Since, c.Locked, c.Recorded, members}
}

func (s *Server) listConferences(context.Context, *struct{}) (*answer[page[conference]], error) {
	return &answer[page[conference]]{page[conference]{Items: s.conferences("")}}, nil
}

type changeConferenceIn struct {
	Number string `path:"number" maxLength:"32" example:"800"`
	Body   struct {
		Locked *bool `json:"locked,omitempty" doc:"Whether nobody but moderators gets in any more; nobody at all where moderators need no PIN."`
	}
}

func (s *Server) changeConference(_ context.Context, in *changeConferenceIn) (*answer[conference], error) {
	if in.Body.Locked != nil {
		s.b.Conferences.LockConference(in.Number, *in.Body.Locked)
	}
	if up := s.conferences(in.Number); len(up) == 1 {
		return &answer[conference]{up[0]}, nil
	}
	return nil, huma.Error404NotFound("There is no conference in a room of that number now.")
}

type memberPath struct {
	Number string `path:"number" maxLength:"32" example:"800"`
	Call   string `path:"call" maxLength:"64"`
}

type changeMemberIn struct {
	Number string `path:"number" maxLength:"32" example:"800"`
	Call   string `path:"call" maxLength:"64"`
	Body   struct {
		Muted *bool `json:"muted,omitempty" doc:"Whether nobody hears him."`
	}
}

const noMember = "There is no such member of a conference in a room of that number now."

func (s *Server) changeMember(_ context.Context, in *changeMemberIn) (*answer[member], error) {
	if in.Body.Muted != nil {
		s.b.Conferences.MuteMember(in.Number, in.Call, *in.Body.Muted)
	}
	for _, c := range s.conferences(in.Number) {
		if i := slices.IndexFunc(c.Members, func(m member) bool { return m.Call == in.Call }); i >= 0 {
			return &answer[member]{c.Members[i]}, nil
		}
	}
	return nil, huma.Error404NotFound(noMember)
}

func (s *Server) removeMember(_ context.Context, in *memberPath) (*struct{}, error) {
	if !s.b.Conferences.RemoveMember(in.Number, in.Call) {
		return nil, huma.Error404NotFound(noMember)
	}
	return nil, nil
}
