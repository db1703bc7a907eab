-- What plans are made from: JSON documents, as the types of pbx/services.go. '' is the zero value.

-- +goose Up
ALTER TABLE extensions ADD COLUMN numbers TEXT NOT NULL DEFAULT ''; -- further numbers, separated by spaces
ALTER TABLE extensions ADD COLUMN services TEXT NOT NULL DEFAULT ''; -- pbx.Services

CREATE TABLE ring_groups (
	number   TEXT PRIMARY KEY,
	document TEXT NOT NULL -- pbx.Group
);

CREATE TABLE hours (
	name     TEXT PRIMARY KEY,
	document TEXT NOT NULL -- pbx.Hours
);

-- The office is one document, the row 'office' of settings: pbx.Office.

-- +goose Down
DELETE FROM settings WHERE name = 'office';
DROP TABLE hours;
DROP TABLE ring_groups;
ALTER TABLE extensions DROP COLUMN services;
ALTER TABLE extensions DROP COLUMN numbers;
