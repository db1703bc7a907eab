package line

import (
	"strconv"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/transaction"
)

// respond makes a response to req (RFC 3261 §8.2.6.2). tag is our To-tag, "" for 100 and where the request has one.
// The headers it takes over are shared with the request, which nobody changes.
func (l *Line) respond(req *sip.Request, status int, phrase, tag string) *sip.Response {
	if phrase == "" {
		phrase = phraseOf(status)
	}
	res := sip.NewResponse(status, phrase)
	forms := (req.Method == sip.INVITE || req.Method == sip.SUBSCRIBE) && status > 100 && status < 300
	for _, h := range req.Headers() {
		switch h := h.(type) {
		case *sip.ViaHeader, *sip.FromHeader, *sip.CallIDHeader, *sip.CSeqHeader:
			res.AppendHeader(h)
		case *sip.RecordRouteHeader:
			if forms {
				res.AppendHeader(h)
			}
		case *sip.ToHeader:
			if tag == "" || h.Params.Has("tag") {
				res.AppendHeader(h)
				continue
			}
			to := *h
			to.Params = append(h.Params[:len(h.Params):len(h.Params)], sip.HeaderKV{K: "tag", V: tag})
			res.AppendHeader(&to)
		default:
			if status == 100 && named(h, "Timestamp") {
				res.AppendHeader(h)
			}
		}
	}
	res.AppendHeader(l.stock.server)
	return res
}

// refuse answers a request that belongs to no leg.
func (l *Line) refuse(tx *transaction.Server, status int, phrase string, more ...sip.Header) {
	res := l.respond(tx.Request, status, phrase, newTag())
	for _, h := range more {
		res.AppendHeader(h)
	}
	l.reply(tx, res)
}

// reply sends a response; what cannot be sent has nobody to wait for it.
func (l *Line) reply(tx *transaction.Server, res *sip.Response) {
	if err := tx.Respond(res); err != nil {
		l.log.Debug("a response did not leave", "status", res.StatusCode, "err", err)
	}
}

// warning is a Warning header (RFC 3261 §20.43); text is ours or an offer error's, without quotes.
func (l *Line) warning(code int, text string) sip.Header {
	return sip.NewHeader("Warning", strconv.Itoa(code)+" ringback "+strconv.Quote(bounded(text)))
}

var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 202: "Accepted",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
	413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief", 433: "Anonymity Disallowed",
	469: "Bad Info Package", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 493: "Undecipherable",
	500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}

// phraseOf is the default reason phrase of a status (RFC 3261 §21).
func phraseOf(status int) string {
	if p := phrases[status]; p != "" {
		return p
	}
	return phrases[max(status/100*100, 400)]
}
