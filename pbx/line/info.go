package line

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
)

// maxInfo bounds the body of an INFO, in bytes.
const maxInfo = 4096

var infoTypes = map[string]bool{"application/dtmf-relay": true, "application/dtmf": true, "application/media_control+xml": true, "text/plain": true}

var acceptInfo = sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf, application/media_control+xml, text/plain")
var recvInfo = sip.NewHeader("Recv-Info", "")

// info takes an INFO of the phone: keys, mostly. Info packages (RFC 6086) are not used here. A body of a type that is taken
// is answered 200 whatever is in it: the response says that it has come, not what became of it. It goes on to the
// other phone, which may know signals that we do not (a hook flash is Signal=!), and phones that get an error for one key
// stop sending keys.
func (g *leg) info(tx *transaction.Server, req *sip.Request) {
	body := req.Body()
	full := dialog.Clean(value(req, "Content-Type"))
	switch {
	case value(req, "Info-Package") != "":
		g.answer(tx, req, 469, nil, recvInfo)
	case len(body) == 0:
		g.answer(tx, req, 200, nil)
	case len(body) > maxInfo || len(full) > maxText:
		g.answer(tx, req, 413, nil)
	case !infoTypes[mediaType(full)]:
		g.answer(tx, req, 415, nil, acceptInfo)
	default:
		g.answer(tx, req, 200, nil)
		if !g.told {
			return
		}
		key, _ := keyOf(mediaType(full), body)
		g.effects = append(g.effects, func() { g.line.o.Exchange.Info(g.pbx, full, body, key) })
	}
}

// TakesInfo implements pbx.Signalling.
func (g *leg) TakesInfo() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.noInfo
}

// Info implements pbx.Signalling.
func (g *leg) Info(contentType string, body []byte) {
	g.enter(func() {
		if g.state != confirmed {
			return
		}
		req := g.request(sip.INFO)
		setBody(req, sip.NewHeader("Content-Type", bounded(contentType)), body)
		g.send(req, func(res *sip.Response, err error) {
			if fatal(res, err) {
				g.lost(g.lostBy(res, err))
			}
		})
	})
}
