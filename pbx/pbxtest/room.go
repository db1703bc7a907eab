package pbxtest

import (
	"slices"
	"strings"

	"ringback/media"
)

// Room is a media.Room without sound: it knows who would hear whom. Party.Hears of a member is "room: " and the numbers
// of those he hears.
type Room struct {
	members []*Port
	muted   map[*Port]bool
	played  []string
	closed  bool
	sink    func([]int16)
}

// NewRoom is for pbx.Options.NewRoom.
func NewRoom() media.Room { return &Room{muted: make(map[*Port]bool)} }

// Join implements media.Room.
func (r *Room) Join(p media.Port) error {
	ports.Lock()
	defer ports.Unlock()
	port := p.(*Port)
	if r.closed || port.over {
		return media.ErrClosed
	}
	port.leave()
	port.room = r
	r.members = append(r.members, port)
	return nil
}

// Leave implements media.Room.
func (r *Room) Leave(p media.Port) {
	ports.Lock()
	defer ports.Unlock()
	if port, ok := p.(*Port); ok && port.room == r {
		port.leave()
	}
}

// drop needs ports.
func (r *Room) drop(p *Port) {
	r.members = slices.DeleteFunc(r.members, func(m *Port) bool { return m == p })
	delete(r.muted, p)
	p.room = nil
}

// Mute implements media.Room.
func (r *Room) Mute(p media.Port, muted bool) {
	ports.Lock()
	defer ports.Unlock()
	if port, ok := p.(*Port); ok && port.room == r {
		r.muted[port] = muted
	}
}

// Play implements media.Room: it is noted, and over at once.
func (r *Room) Play(s media.Sound, done func(bool)) {
	ports.Lock()
	defer ports.Unlock()
	if p, ok := s.(*Prompt); ok {
		r.played = append(r.played, p.Name)
	}
	if done != nil {
		go done(!r.closed)
	}
}

// Played are the names of the prompts that all have heard.
func (r *Room) Played() []string {
	ports.Lock()
	defer ports.Unlock()
	return slices.Clone(r.played)
}

// Record implements media.Room: what is heard comes by Frames.
func (r *Room) Record(sink func([]int16)) {
	ports.Lock()
	defer ports.Unlock()
	r.sink = sink
}

// Frames has whoever records the room hear n times 20 ms, and reports whether somebody does.
func (r *Room) Frames(n int) bool {
	ports.Lock()
	sink := r.sink
	ports.Unlock()
	for i := 0; i < n && sink != nil; i++ {
		sink(make([]int16, media.FrameSamples))
	}
	return sink != nil
}

// Level implements media.Room: whoever is not muted speaks.
func (r *Room) Level(p media.Port) media.Level {
	ports.Lock()
	defer ports.Unlock()
	port, ok := p.(*Port)
	return media.Level{Speaking: ok && port.room == r && !r.muted[port]}
}

// Stats implements media.Room.
func (r *Room) Stats() media.RoomStats {
	ports.Lock()
	defer ports.Unlock()
	return media.RoomStats{Members: len(r.members)}
}

// Close implements media.Room.
func (r *Room) Close() {
	ports.Lock()
	defer ports.Unlock()
	r.closed = true
	for _, p := range slices.Clone(r.members) {
		r.drop(p)
	}
}

// Closed reports whether the room is closed.
func (r *Room) Closed() bool {
	ports.Lock()
	defer ports.Unlock()
	return r.closed
}

// heard needs ports.
func (r *Room) heard(by *Port) string {
	var all []string
	for _, m := range r.members {
		if m != by && !r.muted[m] {
			all = append(all, m.party.Number)
		}
	}
	slices.Sort(all)
	return strings.TrimSpace("room: " + strings.Join(all, " "))
}
