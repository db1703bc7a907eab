-- +goose Up
CREATE TABLE rooms (
	number   TEXT PRIMARY KEY,
	document TEXT NOT NULL -- pbx.Room
);

-- +goose Down
DROP TABLE rooms;
