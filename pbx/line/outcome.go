package line

import (
	"sort"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
)

// outcomeOf is what a final response of a called phone, 3xx to 6xx, stands for.
func outcomeOf(res *sip.Response) pbx.Outcome {
	o := pbx.Outcome{
		Kind: pbx.KindOf(res.StatusCode), By: pbx.Callee, Status: res.StatusCode, Phrase: bounded(res.Reason),
		Reason: texts(res, "Reason"), ErrorInfo: texts(res, "Error-Info"),
	}
	o.Cause = q850(o.Reason)
	if n, ok := seconds(value(res, "Retry-After")); ok {
		o.RetryAfter = time.Duration(min(n, 86400)) * time.Second
	}
	if res.StatusCode < 400 {
		for _, uri := range contactsOf(res) {
			o.Contacts = append(o.Contacts, pbx.Redirection{URI: uri})
		}
	}
	if res.StatusCode == 401 || res.StatusCode == 407 {
		// We have no credentials for phones, and their challenges are none of the caller's business.
		o.Status, o.Phrase = 500, ""
	}
	return o
}

// maxContacts bounds the targets of a redirection that are kept.
const maxContacts = 10

// contactsOf are the targets of a redirection, best q first.
func contactsOf(res *sip.Response) []string {
	type target struct {
		uri string
		q   string
	}
	var all []target
	for _, h := range res.Headers() {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Wildcard || len(all) >= maxContacts {
			continue
		}
		q := "1"
		for _, p := range c.Params {
			if strings.EqualFold(p.K, "q") {
				q = p.V
			}
		}
		if uri := c.Address.String(); len(uri) <= maxText {
			all = append(all, target{dialog.Clean(uri), q})
		}
	}
	// "1.0" > "1" as text, but both are the top; below them the digits compare as text does.
	rank := func(q string) string {
		if strings.HasPrefix(q, "1") {
			return "1"
		}
		return q
	}
	sort.SliceStable(all, func(i, j int) bool { return rank(all[i].q) > rank(all[j].q) })
	uris := make([]string, len(all))
	for i, t := range all {
		uris[i] = t.uri
	}
	return uris
}

// ignore is for requests whose fate changes nothing.
type ignore struct{}

func (ignore) Response(*transaction.Client, *sip.Response) {}
func (ignore) Failed(*transaction.Client, error)           {}
