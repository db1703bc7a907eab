package web

import (
	"context"
	"time"

	"ringback/pbx"
)

// local is whoever may open the Unix socket.
const local = "local"

type identityKey struct{}

// identified is ctx of a request by somebody: the name of a token or of a user.
func identified(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, identityKey{}, name)
}

// set marks what a request changes.
func set(ctx context.Context) pbx.Set {
	name, ok := ctx.Value(identityKey{}).(string)
	if !ok {
		name = local
	}
	return pbx.Set{By: name, At: time.Now().UTC().Truncate(time.Second)}
}
