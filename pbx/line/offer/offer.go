// Package offer is SDP offer/answer (RFC 3264) for one leg: what the PBX offers, what it answers, and what is then
// agreed. It is pure: descriptions in, descriptions and a media.Agreement out. SDP text is read and written by pion/sdp.
package offer
