package store

import "ringback/pbx"

// Owner implements pbx.OfficeDirectory.
func (s *Store) Owner(number string) *pbx.Extension { return s.Extension(number) }

// Group implements pbx.OfficeDirectory.
func (s *Store) Group(string) *pbx.Group { return nil }

// Hours implements pbx.OfficeDirectory.
func (s *Store) Hours(string) *pbx.Hours { return nil }

// Office implements pbx.OfficeDirectory.
func (s *Store) Office() *pbx.Office { return new(pbx.Office) }
