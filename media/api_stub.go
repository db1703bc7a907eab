package media

import "net/netip"

// Engine owns the ports.
type Engine struct{}

// Stream is the audio of one leg.
type Stream struct{}

var _ Port = (*Stream)(nil)

func New(o Options) (*Engine, error)                    { return nil, nil }
func (e *Engine) Open(o StreamOptions) (*Stream, error) { return nil, ErrNoPorts }
func (e *Engine) Stats() EngineStats                    { return EngineStats{} }
func (e *Engine) Close() error                          { return nil }
func (s *Stream) LocalRTP() netip.AddrPort              { return netip.AddrPort{} }
func (s *Stream) LocalRTCP() netip.AddrPort             { return netip.AddrPort{} }
func (s *Stream) Agree(a Agreement)                     {}
func (s *Stream) Formats() []Format                     { return nil }
func (s *Stream) Connect(peer Port) error               { return nil }
func (s *Stream) Echo()                                 {}
func (s *Stream) Disconnect()                           {}
func (s *Stream) Stats() Stats                          { return Stats{} }
func (s *Stream) Close() Stats                          { return Stats{} }
