package line

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

func TestMESSAGEIsAnsweredWhenItWasDelivered(t *testing.T) {
	play(t, func(s *scene) {
		var reply func(pbx.Outcome)
		s.x.message = func(m pbx.Message, r func(pbx.Outcome)) { reply = r }
		a := s.phone("1000", "192.0.2.10")
		c := &call{p: a, id: "m", local: "<sip:1000@pbx.test>;tag=1", remote: "<sip:1001@pbx.test>", target: "sip:1001@pbx.test"}
		c.send("MESSAGE", "hello", "Authorization: Test 1000", "Content-Type: text/plain")
		a.silent()
		wantEvents(t, s, `message from 1000 to 1001 text/plain "hello"`)
		reply(pbx.Outcome{Kind: pbx.Answered, Status: 200})
		a.expect("SIP/2.0 200")
		c.send("MESSAGE", "hello", "Authorization: Test 1000", "Content-Type: text/plain")
		synctest.Wait()
		reply(pbx.NotFound)
		a.expect("SIP/2.0 404")
	})
}

func TestMESSAGEIsSentToAPhone(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		to := s.bind(b)
		got := make(chan pbx.Outcome, 2)
		send := func(ctx context.Context) {
			got <- s.line.Message(ctx, to, pbx.Message{From: pbx.Identity{Number: "1000"}, To: "1001", ContentType: "text/plain", Body: []byte("hi")})
		}
		go send(context.Background())
		m := b.expect("MESSAGE sip:1001@192.0.2.20:5060")
		if !strings.HasPrefix(header(m, "From"), "<sip:1000@pbx.test>;tag=") || body(m) != "hi" || header(m, "Contact") != "" {
			t.Errorf("sent\n%s", m)
		}
		b.respond(m, "202 Accepted", "b", "")
		if o := <-got; !o.OK() || o.Status != 202 {
			t.Errorf("outcome %v", o)
		}
		go send(context.Background())
		b.respond(b.expect("MESSAGE"), "415 What", "b", "")
		if o := <-got; o.OK() || o.Status != 415 {
			t.Errorf("outcome %v", o)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go send(ctx)
		if o := <-got; o.OK() || !o.Unsure {
			t.Errorf("outcome %v", o)
		}
	})
}

// A message beyond the MTU goes to a phone the way it has registered: over UDP in one datagram, which the network
// fragments, because the phone may not listen to anything else.
func TestLargeMessagesGoAsThePhoneRegistered(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		play(t, func(s *scene) {
			b := s.phoneOver(transport, "1001", "192.0.2.20")
			synctest.Wait() // the connection is accepted
			to, text := s.bind(b), strings.Repeat("long ", 2000)
			got := make(chan pbx.Outcome, 1)
			go func() {
				got <- s.line.Message(context.Background(), to, pbx.Message{From: pbx.Identity{Number: "1000"}, To: "1001", ContentType: "text/plain", Body: []byte(text)})
			}()
			m := b.expect("MESSAGE")
			if via := header(m, "Via"); !strings.HasPrefix(via, "SIP/2.0/"+strings.ToUpper(transport)) || body(m) != text {
				t.Errorf("%s: %d bytes by %s", transport, len(m), via)
			}
			b.respond(m, "200 OK", "b", "")
			if o := <-got; !o.OK() {
				t.Errorf("%s: %v", transport, o)
			}
		})
	}
}
