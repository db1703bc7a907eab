package main

import (
	"context"

	"ringback/pbx"
	"ringback/pbx/store"
)

// What follows is the store as web knows it: the same, with web's errors.

type services struct{ *store.Store }

func (s services) GetServices(ctx context.Context, extension string) (pbx.Services, error) {
	return told(s.Store.GetServices(ctx, extension))
}

func (s services) UpdateServices(ctx context.Context, extension string, by pbx.Set, change func(*pbx.Services) error) (pbx.Services, error) {
	return told(s.Store.UpdateServices(ctx, extension, by, change))
}

func (s services) HashPIN(ctx context.Context, pin string) (string, error) {
	return told(s.Store.HashPIN(ctx, pin))
}

type groups struct{ *store.Store }

func (s groups) ListGroups(ctx context.Context, after string, limit int) ([]pbx.Group, error) {
	return told(s.Store.ListGroups(ctx, after, limit))
}

func (s groups) GetGroup(ctx context.Context, number string) (pbx.Group, error) {
	return told(s.Store.GetGroup(ctx, number))
}

func (s groups) CreateGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return told(s.Store.CreateGroup(ctx, by, g))
}

func (s groups) ReplaceGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return told(s.Store.ReplaceGroup(ctx, by, g))
}

func (s groups) DeleteGroup(ctx context.Context, number string) error {
	return webError(s.Store.DeleteGroup(ctx, number))
}

type menus struct{ *store.Store }

func (s menus) ListMenus(ctx context.Context, after string, limit int) ([]pbx.Menu, error) {
	return told(s.Store.ListMenus(ctx, after, limit))
}

func (s menus) GetMenu(ctx context.Context, number string) (pbx.Menu, error) {
	return told(s.Store.GetMenu(ctx, number))
}

func (s menus) CreateMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	return told(s.Store.CreateMenu(ctx, by, m))
}

func (s menus) ReplaceMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	return told(s.Store.ReplaceMenu(ctx, by, m))
}

func (s menus) DeleteMenu(ctx context.Context, number string) error {
	return webError(s.Store.DeleteMenu(ctx, number))
}

type rooms struct{ *store.Store }

func (s rooms) ListRooms(ctx context.Context, after string, limit int) ([]pbx.Room, error) {
	return told(s.Store.ListRooms(ctx, after, limit))
}

func (s rooms) GetRoom(ctx context.Context, number string) (pbx.Room, error) {
	return told(s.Store.GetRoom(ctx, number))
}

func (s rooms) CreateRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return told(s.Store.CreateRoom(ctx, by, r, pins))
}

func (s rooms) ReplaceRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	return told(s.Store.ReplaceRoom(ctx, by, r, pins))
}

func (s rooms) DeleteRoom(ctx context.Context, number string) error {
	return webError(s.Store.DeleteRoom(ctx, number))
}

type mailboxes struct{ *store.Store }

func (s mailboxes) ListMailboxes(ctx context.Context, after string, limit int) ([]pbx.Mailbox, error) {
	return told(s.Store.ListMailboxes(ctx, after, limit))
}

func (s mailboxes) GetMailbox(ctx context.Context, number string) (pbx.Mailbox, error) {
	return told(s.Store.GetMailbox(ctx, number))
}

func (s mailboxes) CreateMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return told(s.Store.CreateMailbox(ctx, by, m, pin))
}

func (s mailboxes) ReplaceMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return told(s.Store.ReplaceMailbox(ctx, by, m, pin))
}

func (s mailboxes) DeleteMailbox(ctx context.Context, number string) error {
	return webError(s.Store.DeleteMailbox(ctx, number))
}

type hours struct{ *store.Store }

func (s hours) ListHours(ctx context.Context, after string, limit int) ([]pbx.Hours, error) {
	return told(s.Store.ListHours(ctx, after, limit))
}

func (s hours) GetHours(ctx context.Context, name string) (pbx.Hours, error) {
	return told(s.Store.GetHours(ctx, name))
}

func (s hours) CreateHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return told(s.Store.CreateHours(ctx, by, h))
}

func (s hours) ReplaceHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return told(s.Store.ReplaceHours(ctx, by, h))
}

func (s hours) DeleteHours(ctx context.Context, name string) error {
	return webError(s.Store.DeleteHours(ctx, name))
}

func (s hours) SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error {
	return webError(s.Store.SwitchHours(ctx, name, mode, by))
}

type office struct{ *store.Store }

func (s office) GetOffice(ctx context.Context) (pbx.Office, error) {
	return told(s.Store.GetOffice(ctx))
}

func (s office) ChangeOffice(ctx context.Context, by pbx.Set, change func(*pbx.Office) error) (pbx.Office, error) {
	return told(s.Store.ChangeOffice(ctx, by, change))
}
