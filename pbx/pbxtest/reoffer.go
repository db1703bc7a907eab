package pbxtest

import "context"

// Reinvite sends a re-INVITE with an offer, and acknowledges its 2xx. It returns the final response.
func (l *CallLeg) Reinvite(ctx context.Context, media Media, mods ...Mod) (*Message, error) {
	return l.Do(ctx, l.NewOffer("INVITE", media, mods...))
}

// NewOffer builds a re-INVITE or UPDATE.
func (l *CallLeg) NewOffer(method string, media Media, mods ...Mod) *Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	m := l.newRequest(method, With("Supported", "replaces, timer"))
	l.offerIn(m, media)
	for _, mod := range mods {
		mod(m)
	}
	return m
}

// Hold holds the other side by a=sendonly.
func (l *CallLeg) Hold(ctx context.Context) error {
	return must(l.Reinvite(ctx, Media{Direction: "sendonly"}))
}

// HoldInactive holds the other side by a=inactive.
func (l *CallLeg) HoldInactive(ctx context.Context) error {
	return must(l.Reinvite(ctx, Media{Direction: "inactive"}))
}

// HoldZero holds the other side by c=0.0.0.0, as phones of RFC 2543 did.
func (l *CallLeg) HoldZero(ctx context.Context) error {
	return must(l.Reinvite(ctx, Media{Zero: true}))
}

// Resume takes the other side back.
func (l *CallLeg) Resume(ctx context.Context) error { return must(l.Reinvite(ctx, Media{})) }

// Update sends an UPDATE (RFC 3311), with an offer unless media.None. It returns the final response.
func (l *CallLeg) Update(ctx context.Context, media Media, mods ...Mod) (*Message, error) {
	m := l.NewOffer("UPDATE", media, mods...)
	res, err := l.Do(ctx, m)
	if err == nil && res.Status/100 == 2 && len(m.Body) > 0 {
		l.Phone.mu.Lock()
		l.gotDescription(res, m)
		l.Phone.mu.Unlock()
	}
	return res, err
}

// Info sends an INFO.
func (l *CallLeg) Info(ctx context.Context, contentType, body string) error {
	return must(l.Do(ctx, l.NewRequest("INFO", Body(contentType, body))))
}

// Infos are those that came.
func (l *CallLeg) Infos() []*Message {
	l.Phone.mu.Lock()
	defer l.Phone.mu.Unlock()
	return append([]*Message(nil), l.infos...)
}

// Refer asks the other side to call somebody (RFC 3515): a number, or a URI with its headers. It returns the response.
func (l *CallLeg) Refer(ctx context.Context, to string, mods ...Mod) (*Message, error) {
	mods = append([]Mod{With("Refer-To", "<"+l.Phone.URI(to)+">"), With("Referred-By", "<"+l.Phone.AOR()+">")}, mods...)
	return l.Do(ctx, l.NewRequest("REFER", mods...))
}

// Message sends an instant message (RFC 3428) and returns its final response.
func (p *Phone) Message(ctx context.Context, to, text string, mods ...Mod) (*Message, error) {
	mods = append([]Mod{Body("text/plain", text)}, mods...)
	return p.Do(ctx, p.NewRequest("MESSAGE", to, mods...))
}

// Options sends an OPTIONS (RFC 3261 §11) and returns its final response.
func (p *Phone) Options(ctx context.Context, to string, mods ...Mod) (*Message, error) {
	mods = append([]Mod{With("Accept", "application/sdp")}, mods...)
	return p.Do(ctx, p.NewRequest("OPTIONS", to, mods...))
}
