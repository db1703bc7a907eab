package media

// Capture takes what phones say, each in a channel of its own, in step: 20 ms of all of them at a time. All methods may be called
// from any goroutine, and none of them blocks; after Close they do nothing.
type Capture interface {
	// Hear has a channel, from 0, take what p's phone says from now on instead of what it took before, whoever else hears the
	// phone; nil: silence. It fails with ErrForeign if p is not a stream of the same engine, ErrClosed if it or the capture is closed.
	// While p has no Agreement, or sends what is not Mixable, the channel is silent. One port may be heard by several captures.
	Hear(channel int, p Port) error
	// Close ends it. A call of the sink that has begun may still run when Close returns.
	Close()
}
