package line

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// outcomeOf is what a final response of a called phone at the end of a hop, 3xx to 6xx, stands for.
func (l *Line) outcomeOf(res *sip.Response, hop wire.Hop) pbx.Outcome {
	o := pbx.Outcome{
		Kind: pbx.KindOf(res.StatusCode), By: pbx.Callee, Status: res.StatusCode, Phrase: bounded(res.Reason),
		Reason: texts(res, "Reason"), ErrorInfo: texts(res, "Error-Info"),
	}
	o.Cause = q850(o.Reason)
	if n, ok := seconds(value(res, "Retry-After")); ok {
		o.RetryAfter = time.Duration(min(n, 86400)) * time.Second
	}
	if res.StatusCode < 400 {
		o.Contacts = l.redirections(res, hop)
	}
	if res.StatusCode == 401 || res.StatusCode == 407 {
		// We have no credentials for phones, and their challenges are none of the caller's business.
		o.Status, o.Phrase = 500, ""
	}
	return o
}

// ignore is for requests whose fate changes nothing.
type ignore struct{}

func (ignore) Response(*transaction.Client, *sip.Response) {}
func (ignore) Failed(*transaction.Client, error)           {}
