// Package pbx is the vocabulary of the exchange and its call control: calls, legs, bridges, targets, outcomes.
// It knows no SIP text, no SQL and no HTTP; those live in packages that implement its interfaces.
package pbx

// Call is one caller's attempt to reach somebody, and what became of it.
type Call struct{}

// Bridge is who talks to whom.
type Bridge struct{}
