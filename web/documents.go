package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

// documents are what is kept under a number or name of its own, and replaced as a whole: T as the Backend has it, B as the API
// shows and takes it.
type documents[T, B any] struct {
	path   string // of the list: "/groups"
	name   string // "group", in names of operations
	a      string // "a ring group"
	many   string // "ring groups"
	put    string // what else is to be said of replacing one
	remove string // of removing one
	used   bool   // one that is in use cannot be removed (409)

	missing, exists, moved string // what is said where there is none, there is one already, and of one that gets another key

	key  func(T) string
	of   func(*B) (field, key string) // likewise, and what the key is called
	show func(T) B

	all     func(ctx context.Context, after string, limit int) ([]T, error)
	get     func(ctx context.Context, key string) (T, error)
	create  func(ctx context.Context, by pbx.Set, in *body[B]) (T, error)
	replace func(ctx context.Context, by pbx.Set, in *body[B]) (T, error)
	drop    func(ctx context.Context, key string) error
}

// body is a document in a request.
type body[B any] struct {
	Body    B
	RawBody []byte
}

// given is a method that takes a document as the API does.
func given[T any](f func(context.Context, pbx.Set, T) (T, error)) func(context.Context, pbx.Set, *body[T]) (T, error) {
	return func(ctx context.Context, by pbx.Set, in *body[T]) (T, error) { return f(ctx, by, in.Body) }
}

// keyed is the answer to something stored under its own address.
type keyed[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

type pageIn struct {
	After string `query:"after" maxLength:"32" doc:"next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"Items a page."`
}

type numberPath struct {
	Number string `path:"number" maxLength:"32" example:"1000"`
}

type putIn[B any] struct {
	Number string `path:"number" maxLength:"32" example:"1000"`
	body[B]
}

// numbered registers the routes of documents under numbers. example is one.
func numbered[T, B any](s *Server, d *documents[T, B], example string) {
	number := d.path + "/{number}"
	register(s, d.listing("number"), func(ctx context.Context, in *pageIn) (*answer[page[B]], error) {
		return d.doList(ctx, s, in.After, in.Limit)
	})
	register(s, d.creating(), func(ctx context.Context, in *body[B]) (*keyed[B], error) { return d.doCreate(ctx, s, in) })
	register(s, d.getting(number), func(ctx context.Context, in *numberPath) (*answer[B], error) { return d.doGet(ctx, s, in.Number) })
	register(s, d.putting(number), func(ctx context.Context, in *putIn[B]) (*keyed[B], error) {
		return d.doPut(ctx, s, in.Number, &in.body)
	})
	register(s, d.removing(number), func(ctx context.Context, in *numberPath) (*struct{}, error) { return d.doRemove(ctx, s, in.Number) })
	for _, o := range operations(s.api.OpenAPI().Paths[apiRoot+number]) {
		o.Parameters[0].Schema.Examples = []any{example}
	}
}

func (d *documents[T, B]) tag() string { return d.path[1:] }

func (d *documents[T, B]) listing(by string) huma.Operation {
	return operation("list-"+d.tag(), http.MethodGet, d.path, d.tag(), "List "+d.many+" by "+by, 0)
}

func (d *documents[T, B]) creating() huma.Operation {
	return operation("create-"+d.name, http.MethodPost, d.path, d.tag(), "Create "+d.a, http.StatusCreated, 409)
}

func (d *documents[T, B]) getting(one string) huma.Operation {
	return operation("get-"+d.name, http.MethodGet, one, d.tag(), "Show "+d.a, 0, 404)
}

func (d *documents[T, B]) putting(one string) huma.Operation {
	it := "it"
	if d.a == d.many { // hours
		it = "them"
	}
	return operation("put-"+d.name, http.MethodPut, one, d.tag(), "Replace "+d.a+", or create "+it+" (201)"+d.put, 0)
}

func (d *documents[T, B]) removing(one string) huma.Operation {
	errs := []int{404}
	if d.used {
		errs = append(errs, 409)
	}
	return operation("remove-"+d.name, http.MethodDelete, one, d.tag(), "Remove "+d.a+d.remove, http.StatusNoContent, errs...)
}

func (d *documents[T, B]) doList(ctx context.Context, s *Server, after string, limit int) (*answer[page[B]], error) {
	all, err := d.all(ctx, after, limit)
	if err != nil {
		return nil, s.failed(err, d.missing)
	}
	return pageOf(all, limit, d.show, d.key), nil
}

func (d *documents[T, B]) doGet(ctx context.Context, s *Server, key string) (*answer[B], error) {
	v, err := d.get(ctx, key)
	if err != nil {
		return nil, s.failed(err, d.missing)
	}
	return &answer[B]{d.show(v)}, nil
}

func (d *documents[T, B]) doCreate(ctx context.Context, s *Server, in *body[B]) (*keyed[B], error) {
	v, err := d.create(ctx, set(ctx), in)
	if errors.Is(err, ErrExists) {
		return nil, huma.Error409Conflict(d.exists)
	} else if err != nil {
		return nil, s.failed(err, d.missing)
	}
	return &keyed[B]{http.StatusCreated, apiRoot + d.path + "/" + url.PathEscape(d.key(v)), d.show(v)}, nil
}

// doPut replaces or creates (RFC 9110 §9.3.4).
func (d *documents[T, B]) doPut(ctx context.Context, s *Server, key string, in *body[B]) (*keyed[B], error) {
	if field, given := d.of(&in.Body); given != key {
		return nil, s.failed(&Invalid{field, field + " must be the one in the address; " + d.moved}, "")
	}
	v, err := d.replace(ctx, set(ctx), in)
	if errors.Is(err, ErrNotFound) {
		return d.doCreate(ctx, s, in)
	} else if err != nil {
		return nil, s.failed(err, d.missing)
	}
	return &keyed[B]{Status: http.StatusOK, Body: d.show(v)}, nil
}

func (d *documents[T, B]) doRemove(ctx context.Context, s *Server, key string) (*struct{}, error) {
	err := d.drop(ctx, key)
	if d.used {
		err = inUse(err)
	}
	if err != nil {
		return nil, s.failed(err, d.missing)
	}
	return nil, nil
}
