// Package migrations holds the database schema as numbered SQL files, applied in order by pressly/goose. A file that
// has been released never changes; what is wrong in it is put right by the next one.
package migrations

import "embed"

// FS has the migrations at its root. The SQL keeps to what SQLite and PostgreSQL share.
//
//go:embed *.sql
var FS embed.FS
