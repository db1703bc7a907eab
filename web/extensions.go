package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// extension is an Extension as the API shows it.
type extension struct {
	Number      string    `json:"number" doc:"What is dialled to reach it."`
	Name        string    `json:"name" doc:"Display name."`
	Enabled     bool      `json:"enabled" doc:"A disabled extension can neither register nor call nor be called."`
	MaxContacts int       `json:"max_contacts" doc:"Phones that may be registered at a time."`
	RingSeconds int       `json:"ring_seconds" doc:"How long it rings before the caller is told that nobody answers."`
	Codecs      []string  `json:"codecs" nullable:"false" doc:"Codecs it may use, preferred first; empty: whatever both sides share."`
	Numbers     []string  `json:"numbers" nullable:"false" doc:"Further numbers that reach it."`
	Registered  int       `json:"registered" doc:"Phones that are registered now."`
	Created     time.Time `json:"created" doc:"When it was created."`
	Updated     time.Time `json:"updated" doc:"When it was changed last."`
	WrongRealm  bool      `json:"wrong_realm,omitempty" doc:"True: the realm was changed since its password was set, so its phones are refused until it is set again."`
}

func (s *Server) extension(e Extension) extension {
	if e.Codecs == nil {
		e.Codecs = []string{}
	}
	if e.Numbers == nil {
		e.Numbers = []string{}
	}
	return extension{e.Number, e.Name, e.Enabled, e.MaxContacts, e.RingSeconds, e.Codecs, e.Numbers, len(s.b.Registrations.List(e.Number, "", 0)),
		e.Created.UTC(), e.Updated.UTC(), e.WrongRealm}
}

type newExtension struct {
	Number      string   `json:"number" minLength:"1" maxLength:"32" example:"1000" doc:"What is dialled to reach it: digits, letters and * # + . - _."`
	Name        string   `json:"name,omitempty" maxLength:"128" example:"Alice" doc:"Display name; the number when left out."`
	Password    string   `json:"password,omitempty" writeOnly:"true" maxLength:"128" doc:"SIP password, 8 characters at least; generated and returned once when left out."`
	Enabled     *bool    `json:"enabled,omitempty" doc:"true when left out."`
	MaxContacts int      `json:"max_contacts,omitempty" minimum:"1" maximum:"32" doc:"Phones that may be registered at a time; 10 when left out."`
	RingSeconds int      `json:"ring_seconds,omitempty" minimum:"5" maximum:"600" doc:"How long it rings; 25 when left out."`
	Codecs      []string `json:"codecs,omitempty" maxItems:"16" example:"[\"G722\",\"PCMA\"]" doc:"Codecs it may use, preferred first; whatever both sides share when left out."`
	Numbers     []string `json:"numbers,omitempty" maxItems:"100" example:"[\"4930123456\"]" doc:"Further numbers that reach it."`
}

type changedExtension struct {
	Name        *string   `json:"name,omitempty" maxLength:"128" doc:"Display name."`
	Password    *string   `json:"password,omitempty" writeOnly:"true" maxLength:"128" doc:"New SIP password, 8 characters at least; empty: generated and returned once. The old one is refused from now on; phones registered with it can be called until their registration expires (DELETE it, or disable the extension, to end that at once)."`
	Enabled     *bool     `json:"enabled,omitempty" doc:"A disabled extension can neither register nor call nor be called."`
	MaxContacts *int      `json:"max_contacts,omitempty" minimum:"1" maximum:"32" doc:"Phones that may be registered at a time."`
	RingSeconds *int      `json:"ring_seconds,omitempty" minimum:"5" maximum:"600" doc:"How long it rings."`
	Codecs      *[]string `json:"codecs,omitempty" maxItems:"16" doc:"Codecs it may use, preferred first; empty: whatever both sides share."`
	Numbers     *[]string `json:"numbers,omitempty" maxItems:"100" doc:"Further numbers that reach it, all of them."`
}

type withPassword struct {
	extension
	Password string `json:"password,omitempty" doc:"The password if it was generated, shown this one time."`
}

const noExtension = "There is no extension of that number."

func (s *Server) extensionRoutes() {
	const path, one, tag = "/extensions", "/extensions/{number}", "extensions"
	register(s, operation("list-extensions", http.MethodGet, path, tag, "List extensions by number", 0), s.listExtensions)
	register(s, operation("create-extension", http.MethodPost, path, tag, "Create an extension", http.StatusCreated, 409), s.createExtension)
	register(s, operation("get-extension", http.MethodGet, one, tag, "Show an extension", 0, 404), s.getExtension)
	register(s, operation("change-extension", http.MethodPatch, one, tag, "Change what is given of an extension", 0, 404), s.changeExtension)
	register(s, operation("remove-extension", http.MethodDelete, one, tag, "Remove an extension with its registrations and its mailbox; not one whose mailbox others use", http.StatusNoContent, 404, 409), s.removeExtension)
}

func (s *Server) listExtensions(ctx context.Context, in *pageIn) (*answer[page[extension]], error) {
	all, err := s.b.Extensions.ListExtensions(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return pageOf(all, in.Limit, s.extension, func(v Extension) string { return v.Number }), nil
}

func (s *Server) getExtension(ctx context.Context, in *numberPath) (*answer[extension], error) {
	e, err := s.b.Extensions.GetExtension(ctx, in.Number)
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return &answer[extension]{s.extension(e)}, nil
}

type createdExtension struct {
	Location string `header:"Location"`
	Body     withPassword
}

func (s *Server) createExtension(ctx context.Context, in *struct{ Body newExtension }) (*createdExtension, error) {
	n := in.Body
	e, password, err := s.b.Extensions.CreateExtension(ctx, NewExtension{Number: n.Number, Name: n.Name, Password: n.Password,
		Disabled: n.Enabled != nil && !*n.Enabled, MaxContacts: n.MaxContacts, RingSeconds: n.RingSeconds, Codecs: n.Codecs, Numbers: n.Numbers})
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict("There is an extension of that number already.")
	} else if err != nil {
		return nil, s.failed(err, noExtension)
	}
	out := &createdExtension{Location: apiRoot + "/extensions/" + url.PathEscape(e.Number), Body: withPassword{extension: s.extension(e)}}
	if n.Password == "" {
		out.Body.Password = password
	}
	return out, nil
}

type changeExtensionIn struct {
	Number string `path:"number" maxLength:"32" example:"1000"`
	Body   changedExtension
}

func (s *Server) changeExtension(ctx context.Context, in *changeExtensionIn) (*answer[withPassword], error) {
	e, generated, err := s.b.Extensions.UpdateExtension(ctx, in.Number, ExtensionUpdate(in.Body))
	if err != nil {
		return nil, s.failed(err, noExtension)
	}
	return &answer[withPassword]{withPassword{s.extension(e), generated}}, nil
}

func (s *Server) removeExtension(ctx context.Context, in *numberPath) (*struct{}, error) {
	if err := s.b.Extensions.DeleteExtension(ctx, in.Number); err != nil {
		return nil, s.failed(inUse(err), noExtension)
	}
	return nil, nil
}
