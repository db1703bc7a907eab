-- +goose Up
CREATE TABLE menus (
	number   TEXT PRIMARY KEY,
	document TEXT NOT NULL -- pbx.Menu
);

-- +goose Down
DROP TABLE menus;
