-- +goose Up
CREATE TABLE mailboxes (
	number   TEXT PRIMARY KEY,
	document TEXT NOT NULL -- pbx.Mailbox
);

-- What has done 0 is being recorded, or was when the process ended.
CREATE TABLE messages (
	id        TEXT PRIMARY KEY,
	mailbox   TEXT    NOT NULL,
	call      TEXT    NOT NULL,
	from_     TEXT    NOT NULL,
	from_name TEXT    NOT NULL,
	at        INTEGER NOT NULL, -- ns since 1970
	length    INTEGER NOT NULL, -- ns
	urgent    INTEGER NOT NULL,
	heard     INTEGER NOT NULL,
	done      INTEGER NOT NULL,
	mailed    INTEGER NOT NULL  -- 0: still to be sent by e-mail; 1: sent, or not wanted
);
CREATE INDEX messages_mailbox ON messages (mailbox, at);
CREATE INDEX messages_mailed ON messages (mailed) WHERE mailed = 0;

CREATE TABLE recordings (
	id       TEXT PRIMARY KEY,
	call     TEXT    NOT NULL,
	room     TEXT    NOT NULL,
	from_    TEXT    NOT NULL,
	to_      TEXT    NOT NULL,
	by_      TEXT    NOT NULL,
	started  INTEGER NOT NULL, -- ns since 1970
	length   INTEGER NOT NULL, -- ns
	bytes    INTEGER NOT NULL,
	channels INTEGER NOT NULL,
	problem  TEXT    NOT NULL,
	done     INTEGER NOT NULL
);
CREATE INDEX recordings_call ON recordings (call);

-- +goose Down
DROP TABLE recordings;
DROP TABLE messages;
DROP TABLE mailboxes;
