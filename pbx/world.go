package pbx

import "time"

// World is what Simulate takes for granted about all that a plan does not say. In the zero World it does not matter when the
// call comes, every extension has one phone, which rings and is not answered, and nobody has another call.
type World struct {
	At       time.Time                                              // when the call comes; zero: conditions are as the plan shows them
	From     string                                                 // extension that calls, and so has a call
	Phones   map[string][]Behaviour                                 // of extensions, in the order of q; none listed for a key: not registered
	InCall   map[string]bool                                        // extensions that have a call already
	GivesUp  time.Duration                                          // after which the caller gives up; 0: not as long as anything happens
	Order    func(group string, s Strategy, members []string) []int // in which a Hunt tries its members; nil: as listed
	Announce func(prompt string) time.Duration                      // how long the caller hears it; nil: he does not
	Talk     func(service string) (time.Duration, Target)           // how long a Service talks, and where it goes on to; nil: on to the first it may
}

// Behaviour is what a phone does with a call.
type Behaviour struct {
	Silent   bool          // it gives no sign but its final response
	Rings    time.Duration // after which it says that it rings
	Status   int           // its final response; 0: none
	Ends     time.Duration // after which that comes
	Contacts []Redirection // of a 3xx
	Accepts  time.Duration // after which, once it has answered, 1 is pressed; 0: never
	HangsUp  time.Duration // after which, once it has answered, it hangs up, where it has to be confirmed; 0: never
}
