package main

import (
	"strconv"

	"ringback/media"
	"ringback/pbx/line/transaction"
	"ringback/web"
)

// registerMetrics says what /metrics shows of the parts.
func (i *instance) registerMetrics() {
	m := i.metrics
	i.callMetrics(m)
	i.sipMetrics(m)
	i.mediaMetrics(m)
	i.soundMetrics(m)
	m.Gauge("ringback_info", "Always 1; the version is a label.", func(s web.Sample) { s(1, versionText()) }, "version")
	m.Gauge("ringback_ready", "1 while calls are taken.", func(s web.Sample) {
		if i.ready() == nil {
			s(1)
		} else {
			s(0)
		}
	})
	m.Gauge("ringback_extensions", "Extensions.", func(s web.Sample) { s(float64(i.store.CountExtensions())) })
	m.Gauge("ringback_registrations", "Registered phones.", func(s web.Sample) { s(float64(i.registrar.Len())) })
	m.Counter("ringback_auth_total", "Requests by what their credentials were.", func(s web.Sample) {
		a := i.auth.Stats()
		s(float64(a.OK), "ok")
		s(float64(a.Challenged), "challenged")
		s(float64(a.Failed), "failed")
		s(float64(a.Stale), "stale")
		s(float64(a.Replayed), "replayed")
		s(float64(a.Throttled), "throttled")
		s(float64(a.Malformed), "malformed")
	}, "verdict")
	m.Counter("ringback_panics_total", "Panics by part; each ended one call, message or packet and is in the log with its stack.", func(s web.Sample) {
		s(float64(i.switchboard.Stats().Panics), "switchboard")
		s(float64(i.line.Stats().Panics), "line")
		s(float64(i.transport.Stats().Panics), "transport")
		s(float64(i.media.Stats().Panics), "media")
	}, "part")
	m.Counter("ringback_journal_commits_total", "Commits (fsyncs) of the journal.", func(s web.Sample) { s(float64(i.store.Journal().Stats().Commits)) })
	m.Counter("ringback_journal_failed_total", "Writes of the journal that failed.", func(s web.Sample) { s(float64(i.store.Journal().Stats().Failed)) })
	m.Gauge("ringback_journal_queued_bytes", "Bytes that wait for the journal.", func(s web.Sample) { s(float64(i.store.Journal().Stats().QueuedBytes)) })
}

func (i *instance) callMetrics(m *web.Metrics) {
	m.Gauge("ringback_calls", "Calls that are up, ringing ones included.", func(s web.Sample) { s(float64(i.switchboard.Stats().Active)) })
	m.Counter("ringback_calls_started_total", "Attempts to call.", func(s web.Sample) { s(float64(i.switchboard.Stats().Started)) })
	m.Counter("ringback_calls_ended_total", "Calls that are over, by outcome.", func(s web.Sample) {
		for outcome, n := range i.switchboard.Stats().Outcomes {
			s(float64(n), outcome)
		}
	}, "outcome")
	m.Counter("ringback_calls_unrecorded_total", "Answers that could not be journalled at once.", func(s web.Sample) { s(float64(i.switchboard.Stats().Unrecorded)) })
	m.Gauge("ringback_conferences", "Conferences that are up.", func(s web.Sample) { s(float64(len(i.switchboard.Conferences()))) })
	m.Gauge("ringback_conference_members", "Members of conferences.", func(s web.Sample) {
		n := 0
		for _, c := range i.switchboard.Conferences() {
			n += len(c.Members)
		}
		s(float64(n))
	})
	m.Gauge("ringback_subscriptions", "Subscriptions of phones (RFC 6665) that live.", func(s web.Sample) { s(float64(i.line.Stats().Subscriptions)) })
	m.Gauge("ringback_legs", "SIP dialogs that live.", func(s web.Sample) { s(float64(i.line.Stats().Legs)) })
}

func (i *instance) sipMetrics(m *web.Metrics) {
	m.Counter("ringback_sip_messages_total", "SIP messages.", func(s web.Sample) {
		t := i.transport.Stats()
		s(float64(t.UDP.In), "udp", "in")
		s(float64(t.UDP.Out), "udp", "out")
		s(float64(t.TCP.In), "tcp", "in")
		s(float64(t.TCP.Out), "tcp", "out")
		s(float64(t.TLS.In), "tls", "in")
		s(float64(t.TLS.Out), "tls", "out")
	}, "transport", "direction")
	m.Counter("ringback_sip_dropped_total", "SIP messages that were not taken: malformed, or beyond the limit of their source.", func(s web.Sample) {
		t := i.transport.Stats()
		s(float64(t.UDP.Malformed), "udp", "malformed")
		s(float64(t.TCP.Malformed), "tcp", "malformed")
		s(float64(t.TLS.Malformed), "tls", "malformed")
		s(float64(t.UDP.Limited), "udp", "limited")
		s(float64(t.TCP.Limited), "tcp", "limited")
		s(float64(t.TLS.Limited), "tls", "limited")
	}, "transport", "why")
	m.Counter("ringback_sip_send_errors_total", "SIP messages that could not be sent.", func(s web.Sample) {
		t := i.transport.Stats()
		s(float64(t.UDP.SendErrors), "udp")
		s(float64(t.TCP.SendErrors), "tcp")
		s(float64(t.TLS.SendErrors), "tls")
	}, "transport")
	m.Gauge("ringback_sip_connections", "Stream connections that are open.", func(s web.Sample) {
		t := i.transport.Stats()
		s(float64(t.TCP.Conns), "tcp")
		s(float64(t.TLS.Conns), "tls")
	}, "transport")

	stats := func() transaction.Stats { return i.line.Transactions() }
	m.Counter("ringback_sip_responses_total", "SIP responses by status code.", func(s web.Sample) {
		t := stats()
		for code := range t.ResponsesIn {
			if n := t.ResponsesIn[code]; n > 0 {
				s(float64(n), strconv.Itoa(code), "in")
			}
			if n := t.ResponsesOut[code]; n > 0 {
				s(float64(n), strconv.Itoa(code), "out")
			}
		}
	}, "code", "direction")
	kinds := [...]string{transaction.InviteServer: "invite server", transaction.NonInviteServer: "server",
		transaction.InviteClient: "invite client", transaction.NonInviteClient: "client"}
	m.Gauge("ringback_sip_transactions", "Transactions that are alive.", func(s web.Sample) {
		for k, v := range stats().Kinds {
			s(float64(v.Alive), kinds[k])
		}
	}, "kind")
	m.Counter("ringback_sip_transactions_total", "Transactions.", func(s web.Sample) {
		for k, v := range stats().Kinds {
			s(float64(v.Total), kinds[k])
		}
	}, "kind")
	m.Counter("ringback_sip_retransmissions_total", "SIP messages that were sent again.", func(s web.Sample) {
		t := stats()
		s(float64(t.RetransmissionsIn), "in")
		s(float64(t.RetransmissionsOut), "out")
	}, "direction")
	m.Counter("ringback_sip_transaction_failures_total", "Transactions that did not end as they should.", func(s web.Sample) {
		t := stats()
		s(float64(t.Timeouts), "timeout")
		s(float64(t.TransportErrors), "transport")
		s(float64(t.Merged), "merged")
		s(float64(t.Shed), "shed")
		s(float64(t.Strays), "stray")
	}, "why")
}

func (i *instance) mediaMetrics(m *web.Metrics) {
	m.Counter("ringback_rtp_packets_total", "RTP packets.", func(s web.Sample) {
		e := i.media.Stats()
		s(float64(e.PacketsIn), "in")
		s(float64(e.PacketsOut), "out")
	}, "direction")
	m.Counter("ringback_rtcp_reports_total", "RTCP packets.", func(s web.Sample) {
		e := i.media.Stats()
		s(float64(e.ReportsIn), "in")
		s(float64(e.ReportsOut), "out")
	}, "direction")
	m.Counter("ringback_rtp_dropped_total", "RTP packets that were not passed on.", func(s web.Sample) {
		e := i.media.Stats()
		for r := range media.Reasons {
			s(float64(e.Dropped[r]), r.String())
		}
	}, "why")
	m.Gauge("ringback_rtp_ports", "Pairs of RTP ports.", func(s web.Sample) {
		e := i.media.Stats()
		s(float64(e.PortsInUse), "in use")
		s(float64(e.PortsFree), "free")
		s(float64(e.PortsResting), "resting")
		s(float64(e.PortsTaken), "taken")
	}, "state")
	m.Counter("ringback_rtp_exhausted_total", "Legs that got no port.", func(s web.Sample) { s(float64(i.media.Stats().Exhausted)) })
	m.Counter("ringback_rtp_timeouts_total", "Streams that fell silent.", func(s web.Sample) { s(float64(i.media.Stats().TimedOut)) })
}

// soundMetrics are those of what is kept: messages and recordings, and of the mail about them.
func (i *instance) soundMetrics(m *web.Metrics) {
	m.Gauge("ringback_tapes", "Recordings, messages and greetings that are being recorded.", func(s web.Sample) { s(float64(i.archive.Stats().Tapes)) })
	m.Counter("ringback_tapes_total", "Recordings, messages and greetings that are over; the disk ended those that failed.", func(s web.Sample) {
		a := i.archive.Stats()
		s(float64(a.Kept), "kept")
		s(float64(a.Failed), "failed")
	}, "result")
	m.Counter("ringback_tapes_written_bytes_total", "Bytes of sound that were written.", func(s web.Sample) { s(float64(i.archive.Stats().Written)) })
	m.Gauge("ringback_recordings", "Recordings of calls and conferences that are kept.", func(s web.Sample) { s(float64(i.archive.Stats().Recordings)) })
	m.Gauge("ringback_recordings_bytes", "What they take of the disk.", func(s web.Sample) { s(float64(i.archive.Stats().Bytes)) })
	m.Counter("ringback_mail_total", "E-mails about messages.", func(s web.Sample) {
		n := i.mailer.Stats()
		s(float64(n.Sent), "sent")
		s(float64(n.Failed), "failed")
	}, "result")
	m.Gauge("ringback_mail_waiting", "E-mails that wait for the next attempt.", func(s web.Sample) { s(float64(i.mailer.Stats().Waiting)) })
}
