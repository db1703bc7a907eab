package wire

import "github.com/emiago/sipgo/sip"

// NewResponse builds a response to req (RFC 3261 §8.2.6): all Via, From, To with tag (unless it has one, or tag is ""),
// Call-ID, CSeq; Timestamp for a 100. Headers are shared with req, which must not be changed any more. Record-Route and
// Contact are the dialog's matter.
func NewResponse(req *sip.Request, code int, reason, tag string) *sip.Response {
	res := sip.NewResponse(code, reason)
	for _, h := range req.Headers() {
		switch h := h.(type) {
		case *sip.ViaHeader, *sip.FromHeader, *sip.CallIDHeader, *sip.CSeqHeader:
			res.AppendHeader(h)
		case *sip.ToHeader:
			if tag != "" && !h.Params.Has("tag") {
				to := *h
				to.Params = append(append(make(sip.HeaderParams, 0, len(h.Params)+1), h.Params...), sip.HeaderKV{K: "tag", V: tag})
				h = &to
			}
			res.AppendHeader(h)
		default:
			if code == sip.StatusTrying && h.Name() == "Timestamp" {
				res.AppendHeader(h)
			}
		}
	}
	return res
}

// Find gives the first header of that name in its registered spelling ("Session-Expires"), or nil. Parse has brought every
// known name to it, compact forms too; sipgo's GetHeader lowers each name again at every look-up.
func Find(m sip.Message, name string) sip.Header {
	var hs []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		hs = m.Headers()
	case *sip.Response:
		hs = m.Headers()
	}
	for _, h := range hs {
		if h.Name() == name {
			return h
		}
	}
	return nil
}
