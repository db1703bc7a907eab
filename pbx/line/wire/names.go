package wire

// header is what the parser treats by itself; every other header is kept as text.
type header uint8

const (
	other header = iota
	hVia
	hFrom
	hTo
	hCallID
	hCSeq
	hMaxForwards
	hContact
	hRoute
	hRecordRoute
	hContentLength
	hContentType
	hReferTo
	hReferredBy
	// Kept as text from here on, but checked.
	hExpires
	hEvent
	hReplaces
	hSessionExpires
	hMinSE
	hRSeq
	hRAck
	hDate
	hSubject
)

// single are the headers of which one message has at most one (RFC 3261 §7.3.1 and the grammar of each).
const single = 1<<hFrom | 1<<hTo | 1<<hCallID | 1<<hCSeq | 1<<hMaxForwards | 1<<hContentType | 1<<hReferTo |
	1<<hReferredBy | 1<<hExpires | 1<<hEvent | 1<<hReplaces | 1<<hSessionExpires | 1<<hMinSE | 1<<hRSeq | 1<<hRAck | 1<<hDate | 1<<hSubject

type name struct {
	id   header
	full string
}

// names are keyed in lower case, compact forms too. Headers that are not here keep the name they came with.
var names = func() map[string]name {
	m := map[string]name{}
	for full, id := range map[string]header{
		"Via": hVia, "From": hFrom, "To": hTo, "Call-ID": hCallID, "CSeq": hCSeq, "Max-Forwards": hMaxForwards,
		"Contact": hContact, "Route": hRoute, "Record-Route": hRecordRoute, "Content-Length": hContentLength,
		"Content-Type": hContentType, "Refer-To": hReferTo, "Referred-By": hReferredBy, "Expires": hExpires, "Event": hEvent,
		"Replaces": hReplaces, "Session-Expires": hSessionExpires, "Min-SE": hMinSE, "RSeq": hRSeq, "RAck": hRAck,
		"Date": hDate, "Subject": hSubject,
		"Accept": 0, "Accept-Contact": 0, "Accept-Encoding": 0, "Accept-Language": 0, "Alert-Info": 0, "Allow": 0,
		"Allow-Events": 0, "Answer-Mode": 0, "Authentication-Info": 0, "Authorization": 0, "Call-Info": 0, "Content-Disposition": 0,
		"Content-Encoding": 0, "Content-ID": 0, "Content-Language": 0, "Diversion": 0, "Error-Info": 0, "Flow-Timer": 0,
		"Geolocation": 0, "Geolocation-Routing": 0, "History-Info": 0, "Identity": 0, "Identity-Info": 0, "In-Reply-To": 0,
		"Info-Package": 0, "Join": 0, "MIME-Version": 0, "Min-Expires": 0, "Organization": 0, "P-Access-Network-Info": 0,
		"P-Asserted-Identity": 0, "P-Called-Party-ID": 0, "P-Charging-Vector": 0, "P-Early-Media": 0,
		"P-Preferred-Identity": 0, "Path": 0, "Priority": 0, "Privacy": 0, "Proxy-Authenticate": 0,
		"Proxy-Authorization": 0, "Proxy-Require": 0, "Reason": 0, "Recv-Info": 0, "Reject-Contact": 0, "Remote-Party-ID": 0,
		"Reply-To": 0, "Request-Disposition": 0, "Require": 0, "Retry-After": 0, "Server": 0, "Service-Route": 0, "SIP-ETag": 0,
		"SIP-If-Match": 0, "Subscription-State": 0, "Supported": 0, "Target-Dialog": 0, "Timestamp": 0, "Unsupported": 0,
		"User-Agent": 0, "Warning": 0, "WWW-Authenticate": 0, "Identity-Key": 0, "User-to-User": 0, "Session-ID": 0,
	} {
		m[lower(full)] = name{id, full}
	}
	for compact, full := range map[string]string{
		"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
		"f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
		"n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
		"x": "session-expires", "y": "identity",
	} {
		m[compact] = m[full]
	}
	return m
}()

// exact finds the usual spelling without lowering it first.
var exact = func() map[string]name {
	m := map[string]name{}
	for _, n := range names {
		m[n.full] = n
	}
	return m
}()

// canonical gives the registered spelling of a header's name. s must be a token.
func canonical(s string) name {
	if n, ok := exact[s]; ok {
		return n
	}
	var buf [24]byte
	if len(s) <= len(buf) {
		for i := range len(s) {
			c := s[i]
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			buf[i] = c
		}
		if n, ok := names[string(buf[:len(s)])]; ok {
			return n
		}
	}
	return name{other, s}
}
