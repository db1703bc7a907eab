-- Times are microseconds since 1970 UTC; 0 means "did not happen".

-- +goose Up
CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

CREATE TABLE extensions (
	number       TEXT PRIMARY KEY,
	name         TEXT NOT NULL,
	enabled      INTEGER NOT NULL,
	max_contacts INTEGER NOT NULL,
	ring_seconds INTEGER NOT NULL,
	codecs       TEXT NOT NULL, -- separated by spaces, preferred first
	realm        TEXT NOT NULL, -- that the hashes were made for
	ha1_md5      TEXT NOT NULL,
	ha1_sha256   TEXT NOT NULL,
	created      BIGINT NOT NULL,
	updated      BIGINT NOT NULL
);

CREATE TABLE tokens (
	name      TEXT PRIMARY KEY,
	sha256    TEXT NOT NULL UNIQUE,
	scope     TEXT NOT NULL,
	created   BIGINT NOT NULL,
	last_used BIGINT NOT NULL
);

CREATE TABLE users (
	name     TEXT PRIMARY KEY,
	password TEXT NOT NULL, -- argon2id
	created  BIGINT NOT NULL,
	updated  BIGINT NOT NULL
);

-- One row an extension that has bindings: a JSON array, as pbx.Binding.
CREATE TABLE bindings (
	extension TEXT PRIMARY KEY,
	bindings  TEXT NOT NULL
);

CREATE TABLE cdrs (
	id          TEXT PRIMARY KEY, -- grows with the start time
	started     BIGINT NOT NULL,
	from_number TEXT NOT NULL,
	to_number   TEXT NOT NULL,
	answered_by TEXT NOT NULL,
	outcome     TEXT NOT NULL,
	ended_by    TEXT NOT NULL, -- '' while the call goes on
	rang        BIGINT NOT NULL,
	answered    BIGINT NOT NULL,
	ended       BIGINT NOT NULL,
	status      INTEGER NOT NULL,
	cause       INTEGER NOT NULL,
	from_name   TEXT NOT NULL,
	detail      TEXT NOT NULL -- JSON: contact, reason, codec, call_id, from_phone, to_phone
);
-- One index that only ever grows at its end, and that the filters are answered from: an index each for caller and called
-- would make every call dirty two more pages anywhere in the file, which costs three times the insert itself.
CREATE INDEX cdrs_started ON cdrs (started, from_number, to_number, answered_by, outcome, ended_by);
CREATE INDEX cdrs_open ON cdrs (id) WHERE ended_by = '';

-- +goose Down
DROP TABLE cdrs;
DROP TABLE bindings;
DROP TABLE users;
DROP TABLE tokens;
DROP TABLE extensions;
DROP TABLE settings;
