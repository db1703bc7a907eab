// Package dialog is the dialog state of RFC 3261 §12, for both ends: tags, sequence numbers, route set, remote target,
// and the requests that are made from them. It is pure: no I/O, no clock, no goroutine. A Dialog is a value that
// belongs to one leg; whoever owns the leg holds its lock around every call.
//
// A Dialog keeps strings and URIs only, never the message it came from.
package dialog

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// ID tells dialogs apart (RFC 3261 §12: Call-ID, local tag, remote tag).
type ID struct{ CallID, Local, Remote string }

// maxRoutes bounds the route set: what a remote party may make us carry in each request.
const maxRoutes = 16

// Dialog is one dialog as one end sees it. Make it with UAS or Caller.
type Dialog struct {
	CallID    string
	LocalTag  string
	RemoteTag string
	LocalSeq  uint32 // of the newest request that we made; 0 before the first
	RemoteSeq uint32 // of the newest request that came
	remoteSet bool   // RemoteSeq is not empty (RFC 3261 §12.1.2)

	Target sip.Uri   // remote target: the Request-URI of what we send
	Routes []sip.Uri // route set, in the order we send it

	callID *sip.CallIDHeader // shared by every request, never changed
	local  sip.Header        // our From
	remote sip.Header        // our To
}

// UAS is the dialog that an INVITE or a SUBSCRIBE with our To-tag creates at the called end (RFC 3261 §12.1.1, RFC 6665 §4.4.1).
// The request must have passed the checks of package wire (From, To, Call-ID, CSeq are there).
func UAS(invite *sip.Request, localTag string) Dialog {
	d := Dialog{CallID: strings.Clone(string(*invite.CallID())), LocalTag: localTag, RemoteTag: strings.Clone(tag(invite.From().Params))}
	id := sip.CallIDHeader(d.CallID)
	d.callID = &id
	to := *invite.To()
	to.Params = nil
	d.local = sip.NewHeader("From", text(&to)+";tag="+localTag)
	d.remote = sip.NewHeader("To", text(invite.From()))
	d.RemoteSeq, d.remoteSet = invite.CSeq().SeqNo, true
	d.Routes = routes(invite.GetHeaders("Record-Route"), false)
	d.Refresh(invite.Contact())
	return d
}

// Caller is the state before any response at the calling end: from and to are header values without a tag, target
// is the Request-URI and routes is the pre-loaded route set. Establish makes a dialog of it.
func Caller(callID, localTag, from, to string, target sip.Uri, routes []sip.Uri) Dialog {
	id := sip.CallIDHeader(callID)
	return Dialog{
		CallID: callID, LocalTag: localTag, Target: target, Routes: routes, callID: &id,
		local: sip.NewHeader("From", from+";tag="+localTag), remote: sip.NewHeader("To", to),
	}
}

// Establish is the dialog, early or confirmed, that a response with a To-tag creates at the calling end (RFC 3261
// §12.1.2). Each To-tag is a dialog of its own; d itself stays as it was.
func (d *Dialog) Establish(res *sip.Response) Dialog {
	e := *d
	e.RemoteTag = strings.Clone(tag(res.To().Params))
	e.remote = sip.NewHeader("To", text(res.To()))
	e.Routes = routes(res.GetHeaders("Record-Route"), true)
	e.Refresh(res.Contact())
	return e
}

// Answered is the dialog that a 2xx of an INVITE of ours creates, of that response alone: for one that comes when the rest
// is forgotten. LocalSeq is that of the INVITE.
func Answered(res *sip.Response) Dialog {
	d := Dialog{CallID: strings.Clone(string(*res.CallID())), LocalTag: strings.Clone(tag(res.From().Params)), LocalSeq: res.CSeq().SeqNo}
	id := sip.CallIDHeader(d.CallID)
	d.callID = &id
	d.local = sip.NewHeader("From", text(res.From()))
	return d.Establish(res)
}

// Confirm takes over what a 2xx says of an early dialog: the route set is computed anew (RFC 3261 §13.2.2.4).
func (d *Dialog) Confirm(res *sip.Response) {
	d.Routes = routes(res.GetHeaders("Record-Route"), true)
	d.Refresh(res.Contact())
}

// ID is the dialog's identifier.
func (d *Dialog) ID() ID { return ID{d.CallID, d.LocalTag, d.RemoteTag} }

// Matches reports whether a request belongs to the dialog (RFC 3261 §12.2.2). A remote tag that is missing is
// an empty one: RFC 2543 ends had none (RFC 3261 §12.1.1).
func (d *Dialog) Matches(req *sip.Request) bool {
	return tag(req.To().Params) == d.LocalTag && tag(req.From().Params) == d.RemoteTag && string(*req.CallID()) == d.CallID
}

// Receive takes the sequence number of a request in the dialog and reports whether it is in order; one that is not
// is answered 500 (RFC 3261 §12.2.2). ACK and CANCEL carry the number of their INVITE and are not given to it.
func (d *Dialog) Receive(seq uint32) bool {
	if d.remoteSet && seq <= d.RemoteSeq {
		return false
	}
	d.RemoteSeq, d.remoteSet = seq, true
	return true
}

// Refresh takes the Contact of a target refresh request or of its 2xx as the new remote target (RFC 3261 §12.2.1.2,
// §12.2.2). The route set never changes. A message without Contact, or with "*", changes nothing.
func (d *Dialog) Refresh(contact *sip.ContactHeader) {
	if contact == nil || contact.Address.Wildcard || contact.Address.Host == "" {
		return
	}
	d.Target = clone(RequestURI(contact.Address))
}

// NextHop is where requests of the dialog go first: the topmost route, or the remote target (RFC 3261 §12.2.1.1).
func (d *Dialog) NextHop() *sip.Uri {
	if len(d.Routes) > 0 {
		return &d.Routes[0]
	}
	return &d.Target
}

// Request is a new request in the dialog with the next sequence number: request line, Route, Max-Forwards, From, To,
// Call-ID and CSeq. Via comes from the transaction layer; Contact and the rest from the caller.
func (d *Dialog) Request(method sip.RequestMethod) *sip.Request {
	d.LocalSeq++
	return d.RequestSeq(method, d.LocalSeq)
}

// RequestSeq is Request with a sequence number that was used already: ACK has that of its INVITE.
func (d *Dialog) RequestSeq(method sip.RequestMethod, seq uint32) *sip.Request {
	req := sip.NewRequest(method, d.Target)
	rest := d.Routes
	strict := len(rest) > 0 && !loose(&rest[0])
	if strict {
		// RFC 3261 §12.2.1.1: the first route becomes the Request-URI, the remote target the last Route.
		req.Recipient = RequestURI(rest[0])
		rest = rest[1:]
	}
	for i := range rest {
		req.AppendHeader(&sip.RouteHeader{Address: rest[i]})
	}
	if strict {
		req.AppendHeader(&sip.RouteHeader{Address: d.Target})
	}
	req.AppendHeader(&maxForwards)
	req.AppendHeader(d.local)
	req.AppendHeader(d.remote)
	req.AppendHeader(d.callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	return req
}

var maxForwards = sip.MaxForwardsHeader(70)

// loose reports whether a route's element does loose routing: the lr parameter (RFC 3261 §19.1.1).
func loose(u *sip.Uri) bool {
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "lr") {
			return true
		}
	}
	return false
}

// RequestURI is u as a Request-URI may have it: without headers and without method (RFC 3261 §19.1.1 table 1).
func RequestURI(u sip.Uri) sip.Uri {
	u.Headers = nil
	for i, p := range u.UriParams {
		if strings.EqualFold(p.K, "method") {
			u.UriParams = append(u.UriParams[:i:i], u.UriParams[i+1:]...)
			break
		}
	}
	return u
}

// clone is u in strings of its own, as those of a message would keep all of it in memory.
func clone(u sip.Uri) sip.Uri {
	u.Scheme = strings.Clone(u.Scheme)
	u.User = strings.Clone(u.User)
	u.Password = strings.Clone(u.Password)
	u.Host = strings.Clone(u.Host)
	if len(u.UriParams) > 0 {
		ps := make(sip.HeaderParams, len(u.UriParams))
		for i, p := range u.UriParams {
			ps[i] = sip.HeaderKV{K: strings.Clone(p.K), V: strings.Clone(p.V)}
		}
		u.UriParams = ps
	}
	if len(u.Headers) > 0 {
		hs := make(sip.HeaderParams, len(u.Headers))
		for i, p := range u.Headers {
			hs[i] = sip.HeaderKV{K: strings.Clone(p.K), V: strings.Clone(p.V)}
		}
		u.Headers = hs
	}
	return u
}

// routes is a route set from Record-Route headers: in order at the called end, reversed at the calling end.
func routes(hs []sip.Header, reversed bool) []sip.Uri {
	if len(hs) == 0 {
		return nil
	}
	hs = hs[:min(len(hs), maxRoutes)]
	set := make([]sip.Uri, 0, len(hs))
	for i := range hs {
		h := hs[i]
		if reversed {
			h = hs[len(hs)-1-i]
		}
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			set = append(set, clone(r.Address))
		}
	}
	return set
}

// text is a header's value as package wire writes it.
func text(h sip.Header) string {
	b := wire.AppendHeader(make([]byte, 0, 96), h)
	_, v, _ := strings.Cut(string(b[:len(b)-2]), ": ")
	return Clean(v)
}

func tag(p sip.HeaderParams) string {
	for _, kv := range p {
		if strings.EqualFold(kv.K, "tag") {
			return kv.V
		}
	}
	return ""
}

// Clean takes control characters out of text that goes into a header line, so that nobody can begin a line of his own.
func Clean(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return -1
		}
		return r
	}, s)
}

func control(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }
