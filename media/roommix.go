package media

type room struct{ engine *Engine }

func newRoom(e *Engine) *room { return &room{engine: e} }

func (r *room) Join(p Port) error {
	if s, ok := p.(*Stream); !ok || s == nil || s.engine != r.engine {
		return ErrForeign
	}
	return nil
}
func (r *room) Leave(Port)                 {}
func (r *room) Mute(Port, bool)            {}
func (r *room) Play(Sound, func(bool))     {}
func (r *room) Record(func(frame []int16)) {}
func (r *room) Level(Port) Level           { return Level{DBm0: -127} }
func (r *room) Stats() RoomStats           { return RoomStats{} }
func (r *room) Close()                     {}
