package pbxtest

import (
	"sync"
	"time"

	"ringback/media"
)

// Capture is a media.Capture without sound: each 20 ms a channel has the level at which its party speaks (see Party.Speak).
type Capture struct {
	sink func([]int16)
	stop chan struct{}

	mu        sync.Mutex
	channels  []*Port
	undecoded []string
	closed    bool
}

// NewCapture is for pbx.Options.NewCapture.
func NewCapture(channels int, sink func(frame []int16)) media.Capture {
	c := &Capture{sink: sink, stop: make(chan struct{}), channels: make([]*Port, channels), undecoded: make([]string, channels)}
	go c.run()
	return c
}

func (c *Capture) run() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			c.sink(c.frame())
		}
	}
}

func (c *Capture) frame() []int16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	ports.Lock()
	defer ports.Unlock()
	sound := make([]int16, len(c.channels)*media.FrameSamples)
	for i, p := range c.channels {
		if p == nil || p.over {
			continue
		}
		if p.speaks != 0 && len(p.formats) > 0 && !p.formats[0].Linear() {
			c.undecoded[i] = p.formats[0].Name
			continue
		}
		for k := i; k < len(sound); k += len(c.channels) {
			sound[k] = p.speaks
		}
	}
	return sound
}

// Hear implements media.Capture.
func (c *Capture) Hear(channel int, p media.Port) error {
	port, ok := p.(*Port)
	if p != nil && !ok {
		return media.ErrForeign
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ports.Lock()
	defer ports.Unlock()
	if c.closed || port != nil && port.over {
		return media.ErrClosed
	}
	c.channels[channel] = port
	return nil
}

// Undecoded implements media.Capture: of a party that speaks, the first codec that it sends, if that is not Linear.
func (c *Capture) Undecoded(channel int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.undecoded[channel]
}

// Close implements media.Capture.
func (c *Capture) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
}

// Speak has the party say something from now on, at a level of samples; 0: nothing.
func (p *Party) Speak(level int16) {
	ports.Lock()
	defer ports.Unlock()
	p.port.speaks = level
}
