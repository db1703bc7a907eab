package main

import (
	"context"

	"ringback/pbx"
	"ringback/pbx/store"
)

// What follows is the store as web knows it: the same, with web's errors.

type services struct{ *store.Store }

func (s services) GetServices(ctx context.Context, extension string) (pbx.Services, error) {
	v, err := s.Store.GetServices(ctx, extension)
	return v, webError(err)
}

func (s services) UpdateServices(ctx context.Context, extension string, by pbx.Set, change func(*pbx.Services) error) (pbx.Services, error) {
	v, err := s.Store.UpdateServices(ctx, extension, by, change)
	return v, webError(err)
}

func (s services) HashPIN(ctx context.Context, pin string) (string, error) {
	hash, err := s.Store.HashPIN(ctx, pin)
	return hash, webError(err)
}

type groups struct{ *store.Store }

func (s groups) ListGroups(ctx context.Context, after string, limit int) ([]pbx.Group, error) {
	all, err := s.Store.ListGroups(ctx, after, limit)
	return all, webError(err)
}

func (s groups) GetGroup(ctx context.Context, number string) (pbx.Group, error) {
	g, err := s.Store.GetGroup(ctx, number)
	return g, webError(err)
}

func (s groups) CreateGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	g, err := s.Store.CreateGroup(ctx, by, g)
	return g, webError(err)
}

func (s groups) ReplaceGroup(ctx context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	g, err := s.Store.ReplaceGroup(ctx, by, g)
	return g, webError(err)
}

func (s groups) DeleteGroup(ctx context.Context, number string) error {
	return webError(s.Store.DeleteGroup(ctx, number))
}

type menus struct{ *store.Store }

func (s menus) ListMenus(ctx context.Context, after string, limit int) ([]pbx.Menu, error) {
	all, err := s.Store.ListMenus(ctx, after, limit)
	return all, webError(err)
}

func (s menus) GetMenu(ctx context.Context, number string) (pbx.Menu, error) {
	m, err := s.Store.GetMenu(ctx, number)
	return m, webError(err)
}

func (s menus) CreateMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	m, err := s.Store.CreateMenu(ctx, by, m)
	return m, webError(err)
}

func (s menus) ReplaceMenu(ctx context.Context, by pbx.Set, m pbx.Menu) (pbx.Menu, error) {
	m, err := s.Store.ReplaceMenu(ctx, by, m)
	return m, webError(err)
}

func (s menus) DeleteMenu(ctx context.Context, number string) error {
	return webError(s.Store.DeleteMenu(ctx, number))
}

type rooms struct{ *store.Store }

func (s rooms) ListRooms(ctx context.Context, after string, limit int) ([]pbx.Room, error) {
	all, err := s.Store.ListRooms(ctx, after, limit)
	return all, webError(err)
}

func (s rooms) GetRoom(ctx context.Context, number string) (pbx.Room, error) {
	r, err := s.Store.GetRoom(ctx, number)
	return r, webError(err)
}

func (s rooms) CreateRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	r, err := s.Store.CreateRoom(ctx, by, r, pins)
	return r, webError(err)
}

func (s rooms) ReplaceRoom(ctx context.Context, by pbx.Set, r pbx.Room, pins pbx.RoomPINs) (pbx.Room, error) {
	r, err := s.Store.ReplaceRoom(ctx, by, r, pins)
	return r, webError(err)
}

func (s rooms) DeleteRoom(ctx context.Context, number string) error {
	return webError(s.Store.DeleteRoom(ctx, number))
}

type hours struct{ *store.Store }

func (s hours) ListHours(ctx context.Context, after string, limit int) ([]pbx.Hours, error) {
	all, err := s.Store.ListHours(ctx, after, limit)
	return all, webError(err)
}

func (s hours) GetHours(ctx context.Context, name string) (pbx.Hours, error) {
	h, err := s.Store.GetHours(ctx, name)
	return h, webError(err)
}

func (s hours) CreateHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	h, err := s.Store.CreateHours(ctx, by, h)
	return h, webError(err)
}

func (s hours) ReplaceHours(ctx context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	h, err := s.Store.ReplaceHours(ctx, by, h)
	return h, webError(err)
}

func (s hours) DeleteHours(ctx context.Context, name string) error {
	return webError(s.Store.DeleteHours(ctx, name))
}

func (s hours) SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error {
	return webError(s.Store.SwitchHours(ctx, name, mode, by))
}

type office struct{ *store.Store }

func (s office) GetOffice(ctx context.Context) (pbx.Office, error) {
	o, err := s.Store.GetOffice(ctx)
	return o, webError(err)
}

func (s office) ChangeOffice(ctx context.Context, by pbx.Set, change func(*pbx.Office) error) (pbx.Office, error) {
	o, err := s.Store.ChangeOffice(ctx, by, change)
	return o, webError(err)
}
